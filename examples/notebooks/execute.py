"""Executes notebooks with the kernel named java, and fails at the first cell with an error.

execute.py [--save] NOTEBOOK...
"""

import pathlib
import re
import sys
import time

import nbclient
import nbclient.exceptions
import nbformat

LIMIT_S = 300
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def tidy(notebook):
    """Leaves nothing behind that changes from run to run without a reason."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.data["text/plain"] = "a picture"
            last = outputs[-1] if outputs else None
            if last and output.output_type == "stream" and last.get("name") == output.name:
                last.text += output.text
            else:
                outputs.append(output)
        cell.outputs = outputs
    notebook.metadata = {
        "kernelspec": {"display_name": "Java", "language": "java", "name": "java"},
        "language_info": {"file_extension": ".jshell", "mimetype": "text/x-java-source", "name": "Java"},
    }


def clear(notebook):
    """Takes what an earlier run has left."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            cell.metadata.pop("execution", None)


def failed_cell(notebook, error):
    """Returns the text of the cell that failed, and what the kernel says of it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                # nbclient's own message has the kernel's stack, not what the compiler says.
                what = COLOR.sub("", "\n".join(output.traceback)).strip()
                return f"{cell.source}\n\n{what or output.ename + ': ' + output.evalue}"
    for cell in notebook.cells:
        if cell.cell_type == "code" and "shell.execute_reply" not in cell.metadata.get("execution", {}):
            return f"{cell.source}\n\n{error}"
    return str(error)


def execute(path, save):
    notebook = nbformat.read(path, as_version=4)
    clear(notebook)
    began = time.monotonic()
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="java",
        timeout=LIMIT_S,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except (nbclient.exceptions.CellControlSignal, RuntimeError, TimeoutError) as e:
        sys.exit(f"{path.name}: a cell failed:\n\n{failed_cell(notebook, e)}")
    if save:
        tidy(notebook)
        nbformat.write(notebook, path)
    print(f"{path.name}: {time.monotonic() - began:.0f} s", flush=True)


def main(arguments):
    save = "--save" in arguments
    for name in arguments:
        if name != "--save":
            execute(pathlib.Path(name), save)


if __name__ == "__main__":
    main(sys.argv[1:])
