{
    "name": "Commerce Sync: Shelf",
    "summary": "A worked example of a platform of your own, in an addon of its own",
    "version": "19.0.1.0.0",
    "author": "Commerce Sync contributors",
    "license": "LGPL-3",
    "depends": ["commerce_sync"],
}
