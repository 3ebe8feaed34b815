"""One run of a fit on several workers: processes of this machine, or of a cluster, that train it together.

The call itself stays in the process that the user started, the driver: it reads, decides, chooses and writes as it does
alone. Only the training of a run is handed out: as a folder of plain files (`request`, `job_files`), to workers that
each train their part (`worker`), the first of which writes what came of it (`outcome`). `torchrun` starts and restarts
them, and `channel` is how they and the driver hear of each other.
"""
