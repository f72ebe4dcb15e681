"""Listings from a spreadsheet and back: one row for each variant, the rows of one product held together by its key.

A file is kept (`upload`), read by a job into rows with a verdict each (`reading`, `judge`), and run when somebody has
looked (`run`, `store`): price, stock and lead time change at once, all else becomes a draft, product by product.
`export`, `template` and `error_file` write the same columns, so that what was written out can be read again.
"""
