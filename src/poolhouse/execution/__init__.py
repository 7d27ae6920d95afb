"""Best execution: each loan to one offer, so that all proceeds together are the highest under pool limits.

Knows offers, pools and limits as tables, and no standard, program or price: the sale step and any user's
pricing engine hand it theirs.
"""
