"""A second server that keeps the whole contract, written from the contract alone, to try the suite on.

Wherever the contract leaves freedom it takes another way than the fake does, so that what the suite presumes without a
source shows. It imports nothing but the standard library.
"""
