"""Demand forecasting: many series at once, models chosen by rolling origin, quantiles, and the stock they call for."""
