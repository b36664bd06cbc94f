"""Forecasts of demand in service: trained from the sales that procurement keeps, and served from a small artefact."""
