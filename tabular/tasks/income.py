"""Who has the means, as a stand-in for who gets credit: the columns of the Census Bureau's Adult data (Kohavi 1996)."""

from __future__ import annotations

from tabular.tasks.task import Category, Number, Protected, Target, Task

INCOME = Task(
    name="income",
    title="Income above 50,000 a year",
    columns=(
        Number("age", 16, 120, "{} years old", whole=True),
        Category("workclass", "works for: {}", missing=True),
        Number("education-num", 1, 16, "education of level {} of 16", whole=True),
        Category("marital-status", "marital status: {}"),
        Category("occupation", "occupation: {}", missing=True),
        Category("relationship", "in the household: {}"),
        Category("race", "race: {}"),
        Category("sex", "sex: {}", ("Female", "Male")),
        Number("capital-gain", 0, 1_000_000, "capital gains of {}"),
        Number("capital-loss", 0, 1_000_000, "capital losses of {}"),
        Number("hours-per-week", 0, 168, "works {} hours a week"),
        Category("native-country", "born in: {}", missing=True),
    ),
    target=Target("income-per-year", ">50K", "<=50K", "an income above 50,000"),
    # The columns hold little of race, so a model that does not see it can only be held to err evenly. What people earn
    # does rise with age, which lenders may look at: told, not limited.
    protected=(
        Protected("sex", ratio=0.8),
        Protected("race", odds=0.2),
        Protected("age", edges=(25, 40, 62), seen=True),
    ),
    unused=(("fnlwgt", "how many people the row stands for"), ("education", "education-num says the same")),
)
