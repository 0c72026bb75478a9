"""Modules made of modules."""

from lightnn.nn.module import Module


class ModuleList(Module):
    """Modules by number: a list whose members belong to the tree, named "0", "1", ..."""

    def __init__(self, modules=()):
        for i, m in enumerate(modules):
            self._set(i, m)

    def append(self, module):
        self._set(len(self), module)
        return self

    def _set(self, i, module):
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: want Modules, got {type(module).__name__}")
        vars(self)[str(i)] = module

    def __len__(self):
        return sum(1 for _ in self.members())

    def __iter__(self):
        return (m for _, m in self.members())

    def __getitem__(self, i):
        return list(self)[i]


class Sequential(ModuleList):
    """Modules applied one after the other: y = m_k(... m_1(m_0(x)))."""

    def __init__(self, *modules):
        super().__init__(modules)

    def forward(self, x):
        for m in self:
            x = m(x)
        return x
