import signal
import sys
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from partner_program.processes import Processes, listens, start_all


def run_until_stopped(command: BaseCommand, *, port: int, bind: str, announce: str) -> None:
    """Start everything, say where it is, and stay until a signal or the death of a process ends it all."""
    if listens(port):
        raise CommandError(f"Port {port} is taken: stop what listens there, or choose another with --port.")

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    processes = Processes()
    try:
        start_all(processes, port=port, bind=bind)
        command.stdout.write(announce)
        command.stdout.flush()
        dead = processes.wait()
        raise CommandError(f"{dead} ended by itself; see var/log/{dead}.log.")
    except RuntimeError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        command.stdout.write("\nStopping.")
        sys.exit(0)
    finally:
        processes.stop()


class Command(BaseCommand):
    help = "Start web server, worker and beat (and a broker where REDIS_URL is empty) and stay until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--bind", default="127.0.0.1", help="the address to listen on")

    def handle(self, *args: Any, port: int, bind: str, **options: Any) -> None:
        run_until_stopped(self, port=port, bind=bind, announce=f"Running on http://{bind}:{port}/  (Ctrl-C stops it)")
