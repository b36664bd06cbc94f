"""Which customers of a telephone company leave, in the columns of IBM's Telco Customer Churn."""

from __future__ import annotations

from tabular.tasks.task import Category, Flag, Number, Protected, Target, Task

_ADDED = ("Yes", "No", "No internet service")


def _added(name: str, words: str) -> Category:
    return Category(name, f"{words}: {{}}", _ADDED)


CHURN = Task(
    name="churn",
    title="Customers who leave",
    columns=(
        Category("gender", "gender: {}", ("Female", "Male")),
        Flag("SeniorCitizen", "a senior", "not a senior", yes="1", no="0"),
        Flag("Partner", "has a partner", "has no partner"),
        Flag("Dependents", "has dependents", "has no dependents"),
        Number("tenure", 0, 1200, "with us for {} months", whole=True),
        Flag("PhoneService", "has a telephone line", "has no telephone line"),
        Category("MultipleLines", "several lines: {}", ("Yes", "No", "No phone service")),
        Category("InternetService", "internet: {}", ("DSL", "Fiber optic", "No")),
        _added("OnlineSecurity", "online security"),
        _added("OnlineBackup", "online backup"),
        _added("DeviceProtection", "device protection"),
        _added("TechSupport", "technical support"),
        _added("StreamingTV", "television over the line"),
        _added("StreamingMovies", "films over the line"),
        Category("Contract", "contract: {}", ("Month-to-month", "One year", "Two year")),
        Flag("PaperlessBilling", "gets bills without paper", "gets bills on paper"),
        Category(
            "PaymentMethod",
            "pays by: {}",
            ("Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)"),
        ),
        Number("MonthlyCharges", 0, 10_000, "pays {} a month"),
        Number("TotalCharges", 0, 1_000_000, "has paid {} in all", missing=True),
    ),
    target=Target("Churn", "Yes", "No", "leaving"),
    # A positive decision is an offer to stay. Seniors do leave more often; to be offered more is no harm to them.
    protected=(Protected("gender", ratio=0.8, odds=0.1), Protected("SeniorCitizen", seen=True)),
    unused=(("customerID", "names the customer"),),
)
