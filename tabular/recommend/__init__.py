"""What a customer is likely to buy next, and why: learned from baskets, ranked over every item.

`purchases` and `history` hold what happened; `training` makes a `model` of it, `recommender` answers with one. Serving
needs numpy alone; training needs scipy.
"""
