from . import adapters, controllers, engine, mappers, models, wizards
