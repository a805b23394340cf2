"""The `ivr` command: one file per subcommand, imported when it is asked for."""

from importlib import import_module

import click

from ivr import __version__

COMMANDS = {
    "serve": "Answer calls: run the webhook server.",
    "new": "Create a new flow, with a script that calls it.",
    "check": "Find every mistake in flow files.",
    "talk": "Try a flow in the terminal, as its caller.",
    "phone": "Call a bot as the platform does: by hand, by script, or many times at once.",
    "gateway": "Take telephone calls by SIP, for a bot.",
    "graph": "Draw a flow as a Mermaid diagram.",
    "schema": "Print the JSON Schema of flow files, for editors.",
    "call": "Have the server place a call.",
    "calls": "List, show, export and erase recorded calls.",
    "botstate": "Read, write and erase what bots keep in a state service.",
    "notifications": "List what flows tell by mail and webhook; send again what could not be sent.",
    "requests": "List what carriers could not be asked, such as to delete a recording; ask again.",
    "store": "Look after the database that many servers share: the version of its tables.",
    "replay": "Run recorded calls through the flows as they are now.",
    "transcribe": "Transcribe recordings with the speech engine of the settings.",
    "speak": "Speak a text into a WAV file.",
    "prompts": "Speak the texts of flows ahead, so that no call waits for a voice.",
    "settings": "List all settings with their meaning and current value.",
}


class _Commands(click.Group):
    """Subcommands by name; none is loaded before it is used, so that `ivr check` needs no web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"ivr.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ivr")
def main() -> None:
    """Run phone flows written in YAML: check them, talk to them, answer calls with them.

    \b
    Start here:  ivr talk flows/support.yaml
                 ivr serve --dev flows/
    """
