"""`sordino train` and, for engineers, `sordino develop finish | unseen`: training runs and what comes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sordino.run.extras import need


def train(
    corpus: Annotated[Path, typer.Argument(help="Folder with manifest.csv, or the manifest itself.")],
    out: Annotated[Path, typer.Argument(help="Folder of the run: checkpoint, log, model.")],
    config: Annotated[str, typer.Option(help="tiny, standard, full, or the path of a .toml file.")] = "standard",
    cache: Annotated[Path, typer.Option(help="Folder for decoded clips.")] = Path("data/cache"),
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of the whole run, earlier parts included.")] = 80,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of weights and mixtures.")] = 1,
    start_from: Annotated[Path | None, typer.Option(help="Train the weights of this .onnx model further.")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Settings: schedule.learning_rate=1e-3")] = None,
) -> None:
    """Train a model on your own recordings; needs `pip install sordino[train]`."""
    need("train", "torch")
    import torch

    from sordino.formats.onnx import write_onnx

    from .checkpoint import load_checkpoint, to_model
    from .config import load_config
    from .curve import draw_if_possible
    from .train import train as run

    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    run(load_config(config, changes or []), corpus, cache, out, minutes, resume, chosen, seed, start_from=start_from)
    model = to_model(load_checkpoint(out / "last.pt"))
    write_onnx(model, out / f"{model.name}.onnx")
    draw_if_possible(out / "log.jsonl", out / f"{model.name}.png")
    print(f"{out / model.name}.onnx")


def _mix(text: str) -> tuple[Path, float]:
    """EARLIER=SHARE as a path and a number."""
    earlier, _, share = text.rpartition("=")
    if not earlier:
        raise typer.BadParameter(f"{text!r}, wanted EARLIER=SHARE, such as before.onnx=0.5")
    return Path(earlier), float(share)


def finish(
    source: Annotated[Path, typer.Argument(help="Checkpoint of a run (.pt), or a finished model (.onnx).")],
    out: Annotated[Path, typer.Argument(help=".onnx, or .npz for plain arrays.")],
    blend: Annotated[
        list[Any] | None,
        typer.Option(
            parser=_mix,
            metavar="EARLIER=SHARE",
            help="Mix with the weights of another run; several, one after the other.",
        ),
    ] = None,
) -> None:
    """Make a model of a training run; mix in earlier runs."""
    need("train", "torch")
    from .checkpoint import export

    export(source, out, blend or [])


def unseen(
    models: Annotated[list[Path], typer.Argument(help=".onnx or .pt; mixtures and loss are those of the first.")],
    cache: Annotated[Path, typer.Option(help="Decoded corpus, as made by training.")] = Path("data/cache"),
    batches: Annotated[int, typer.Option(min=1, help="Of 12 signals of 4 s.")] = 24,
) -> None:
    """Say what voices and noises that it never heard cost a model: a table of losses."""
    need("train", "torch")
    from .unseen import compare, config_of

    print(compare(models, cache, config_of(models[0]), batches))
