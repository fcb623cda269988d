"""Audits: many items, articles or answers of chat assistants, analysed in one run.

`sources` reads items, a `Runner` analyses them one by one (`runner`), `facts` and `report` tell what came
out. `desk` and `work` are audits as the service keeps them, `durable` lets them survive the process.
"""
