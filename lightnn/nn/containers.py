"""Modules made of modules."""

from collections.abc import Iterable, Iterator

from lightnn.nn.module import Module
from lightnn.tensor import Tensor


class ModuleList(Module):
    """A list of modules, named "0", "1", ... in the tree."""

    def __init__(self, modules: Iterable[Module] = ()):
        for i, m in enumerate(modules):
            self._set(i, m)

    def append(self, module: Module) -> "ModuleList":
        self._set(len(self), module)
        return self

    def _set(self, i, module):
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: want Modules, got {type(module).__name__}")
        vars(self)[str(i)] = module

    def __len__(self) -> int:
        return sum(1 for _ in self.members())

    def __iter__(self) -> Iterator[Module]:
        return (m for _, m in self.members())

    def __getitem__(self, i: int) -> Module:
        return list(self)[i]


class Sequential(ModuleList):
    """Modules applied one after the other: y = m_k(... m_1(m_0(x)))."""

    def __init__(self, *modules: Module):
        super().__init__(modules)

    def forward(self, x: Tensor) -> Tensor:
        for m in self:
            x = m(x)
        return x
