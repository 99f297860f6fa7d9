"""What a policy lets out of the room. Today there is one for invented data; those for real data refuse by name."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.errors import DisclosureError, NotSupportedError, did_you_mean

__all__ = ["POLICIES", "DisclosurePolicy"]

POLICIES = ("sensitive", "academic_safe", "opensafely", "moj_publication", "none")
_BUILT = ("none",)


@dataclass(frozen=True)
class DisclosurePolicy:
    """The rules an output passes on its way out.

    Attributes
    ----------
    name : str
        Printed with everything that was released under it.
    statement : str
        What the policy does, in a sentence for the reader of a report.
    """

    name: str
    statement: str

    @classmethod
    def preset(cls, name: str) -> DisclosurePolicy:
        """Return a policy by name.

        Parameters
        ----------
        name : {"none"}
            ``"none"`` releases exact numbers and is for invented data.

        Raises
        ------
        NotSupportedError
            The policy is known but not built yet.
        DisclosureError
            There is no such policy.

        Examples
        --------
        >>> DisclosurePolicy.preset("none").name
        'none'
        """
        if name == "none":
            return cls("none", "No disclosure control was applied: the data are invented, and the numbers are exact.")
        if name in POLICIES:
            raise NotSupportedError(
                f"The disclosure policy {name!r} is not there yet; there is {', '.join(map(repr, _BUILT))}, for invented data only. "
                "Until it is, nothing about real people can be released from here."
            )
        raise DisclosureError(f"There is no disclosure policy {name!r}. {did_you_mean(name, POLICIES)}")
