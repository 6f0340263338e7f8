"""What the APIs of model providers say → plain values in our form, from the wire's form or from official objects. Pure.

Where to look: `answers` reads an answer of any API, `streams` puts a streamed one together, `requests` reads what is sent. Each API has a
file of its own. No provider's package is imported: an object is told by what it holds.
"""
