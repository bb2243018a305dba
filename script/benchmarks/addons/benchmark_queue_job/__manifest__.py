{
    "name": "Benchmark: One Job for Each Record",
    "summary": "What Commerce Sync is compared with: a plain connector on OCA queue_job",
    "version": "19.0.1.0.0",
    "author": "Commerce Sync contributors",
    "license": "LGPL-3",
    "depends": ["queue_job", "sale_stock"],
}
