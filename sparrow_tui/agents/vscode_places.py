"""Where VS Code and the editors made from it keep a user's files, and how they name folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.projects import json_file

PRODUCTS = ("Code", "Code - Insiders", "Code - OSS", "VSCodium", "VSCodium - Insiders")
"""Names of the editor's own builds, as its folders have them."""
SERVERS = (".vscode-server", ".vscode-server-insiders", ".vscode-server-oss", ".vscodium-server")
"""Home folders of the part that runs on a remote machine."""


def user_folders(
    place: Place, products: tuple[str, ...] = PRODUCTS, servers: tuple[str, ...] = SERVERS
) -> list[Path]:
    """The ``User`` folders of editors, whether or not they exist.

    A portable installation (``VSCODE_PORTABLE``) and another folder for application data
    (``VSCODE_APPDATA``) are those the editor's ``getUserDataPath`` obeys; ``code-server`` keeps
    to XDG on every system.

    Args:
        place: whose.
        products: names of builds, as their folders have them.
        servers: home folders of builds' remote parts.
    """
    base = place.path("VSCODE_APPDATA", place.config_home)
    users = [base / product / "User" for product in products]
    users += [place.home / server / "data" / "User" for server in servers]
    shared = place.path("XDG_DATA_HOME", place.home / ".local" / "share")
    users.append(shared / "code-server" / "User")
    if place.env.get("VSCODE_PORTABLE"):
        users.insert(0, Path(place.env["VSCODE_PORTABLE"]) / "user-data" / "User")
    return users


def workspace_folder(storage: Path) -> str:
    """The folder of a workspace; of a workspace file the folder it lies in; empty if unknown.

    Args:
        storage: the workspace's folder in ``workspaceStorage``.
    """
    workspace = json_file(storage / "workspace.json")
    workspace = workspace if isinstance(workspace, dict) else {}
    folder = path_of(workspace.get("folder"))
    if not folder and workspace.get("workspace"):
        folder = path_of(workspace["workspace"])
        folder = folder.replace("\\", "/").rpartition("/")[0] if folder else ""
    return folder


def path_of(uri: Any) -> str:
    """The path a URI names, in the way of the system it is on; empty for none."""
    if isinstance(uri, dict):
        uri = uri.get("fsPath") or uri.get("path") or uri.get("external")
    if not isinstance(uri, str):
        return ""
    try:
        path = unquote(urlsplit(uri).path) if "://" in uri else uri
    except ValueError:
        return ""
    if len(path) > 2 and path[0] == "/" and path[2] == ":":
        return path[1:].replace("/", "\\")
    return path
