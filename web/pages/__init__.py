"""Pages for people: the live page, blocks, transactions, addresses, and a search for all of them.

They are made here and whole without scripts; scripts keep the numbers moving, submit, and verify
proofs. All that a page needs is served from here.
"""

from flask import Blueprint

from minequeue.web.pages import address, assets, block, home, search, transaction
from minequeue.web.pages.rendering import show_errors

blueprint = Blueprint("pages", __name__, template_folder="templates")
for part in (home, block, transaction, address, search, assets):
    blueprint.register_blueprint(part.blueprint)
show_errors(blueprint)
