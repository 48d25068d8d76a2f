"""Make README.md from nbs/index.ipynb; `--check` only says whether it is in step.

Does what `nbdev_readme` does, without needing Quarto: hidden cells and directives are left out, pictures go to `readme_files/`.
"""
import argparse, re, sys
from base64 import b64decode
from configparser import ConfigParser
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import MarkdownExporter
from nbconvert.filters import strip_ansi
from nbformat.v4 import new_output

root = Path(__file__).resolve().parent.parent
image_types = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/svg+xml": ".svg"}
_directive = re.compile(r"\s*#\s*\|\s*([\w-]+)\s*:?\s*(.*)")
_link = re.compile(r"(\]\(\s*|\b(?:src|href)=[\"'])(?!\w[\w+.-]*:|[/#])([^)\s\"']+)")
_code = re.compile(r"(```.*?```|`[^`\n]*`)", re.S)

def outside_code(f, text):
    "Apply `f` to the parts of the Markdown `text` that are not code"
    parts = _code.split(text)
    parts[::2] = [f(o) for o in parts[::2]]
    return "".join(parts)

class Pictures:
    "Pictures found on the way, by the name of their file"
    def __init__(self, folder): self.folder, self.files = folder, {}
    def add(self, data, mime, stem):
        "Keep `data` (base64, or the text of an svg) and return its path in the repository"
        data = data.encode() if mime == "image/svg+xml" else b64decode(data)
        name = f"{stem}-{sum(o.startswith(f'{stem}-') for o in self.files)}{image_types[mime]}"
        self.files[name] = data
        return f"{self.folder}/{name}"

def split_directives(src):
    "The directives at the top of a cell, and what stands below them"
    lines, found = src.splitlines(keepends=True), {}
    while lines and (m := _directive.match(lines[0])):
        found[m[1]] = m[2].strip().lower()
        lines.pop(0)
    return found, "".join(lines).strip("\n")

def plain_html(html, pictures, stem):
    "`html` as GitHub shows it: no styles or scripts, pictures as files, no blank line that would end the block"
    html = re.sub(r"<svg\b.*?</svg>", lambda m: f'<img src="{pictures.add(m[0], "image/svg+xml", stem)}">', html, flags=re.S|re.I)
    soup = BeautifulSoup(html, "html.parser")
    for o in soup(["style", "script", "link"]): o.decompose()
    for o in soup(True):
        for a in ("style", "class", "border", "id"): o.attrs.pop(a, None)
        if m := re.match(r"data:(image/[\w+]+);base64,(.*)", o.get("src", ""), re.S): o["src"] = pictures.add(m[2], m[1], stem)
    return re.sub(r"\n\s*\n+", "\n", str(soup)).strip()

def plain_output(out, pictures, stem):
    "One output with a single form, chosen as a reader of GitHub sees most; None if there is nothing to show"
    if out.output_type == "stream": return None if out.name == "stderr" else new_output("stream", name="stdout", text=strip_ansi(out.text))
    if out.output_type == "error": return out
    data = out.data
    for mime in image_types:
        if mime in data: return new_output("display_data", {"text/markdown": f"![]({pictures.add(data[mime], mime, stem)})"})
    if "text/markdown" in data: return new_output("display_data", {"text/markdown": data["text/markdown"]})
    html = data.get("text/html", "")
    if html and not re.search("<(video|audio|iframe|canvas)", html, re.I):
        return new_output("display_data", {"text/markdown": plain_html(html, pictures, stem)})
    text = data.get("text/plain", "")
    if text and not re.fullmatch(r"<[\w.]+ object[^>]*>", text): return new_output("display_data", {"text/plain": text})

def plain_cell(cell, pictures, nbs):
    "`cell` without what is hidden from readers, or None"
    directives, src = split_directives(cell.source)
    if "hide" in directives or directives.get("include") == "false": return None
    if cell.cell_type == "markdown":
        for name, bundle in cell.pop("attachments", {}).items():
            mime, data = next(iter(bundle.items()))
            src = src.replace(f"attachment:{name}", f"/{pictures.add(data, mime, cell.id)}")
        src = outside_code(lambda o: _link.sub(lambda m: f"{m[1]}{nbs}/{m[2]}", o), src)
        cell.source = src.replace(f"(/{pictures.folder}/", f"({pictures.folder}/")
    elif cell.cell_type == "code":
        silent = directives.get("output") == "false" or "hide_output" in directives
        outs = [] if silent else [plain_output(o, pictures, cell.id) for o in cell.outputs]
        if directives.get("echo") == "false" or "hide_input" in directives: cell.metadata["transient"] = {"remove_source": True}
        cell.source, cell.outputs = src, [o for o in outs if o]
        if not src and not cell.outputs: return None
    else: return None
    return cell

def make_readme(path, nbs="nbs", folder="readme_files"):
    "The text of the README made from the notebook at `path`, and its pictures: {name: bytes}"
    nb, pictures = nbformat.read(path, 4), Pictures(folder)
    nb.cells = [c for c in (plain_cell(o, pictures, nbs) for o in nb.cells) if c]
    nb.metadata["language_info"] = {"name": "python"}
    body, _ = MarkdownExporter(exclude_input_prompt=True, exclude_output_prompt=True).from_notebook_node(nb)
    body = outside_code(lambda o: re.sub(r"\n([ \t]*\n){2,}", "\n\n", o), body)
    note = f"<!-- Made from {nbs}/{path.name} by `make readme`: edit the notebook. -->\n\n"
    return note + body.strip() + "\n", pictures.files

def main():
    cfg = ConfigParser(delimiters=["="])
    cfg.read(root/"settings.ini", encoding="utf-8")
    cfg = cfg["DEFAULT"]
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--check", action="store_true", help="write nothing; fail if README.md or its pictures are out of step")
    p.add_argument("--nb", type=Path, default=root/cfg["nbs_path"]/cfg["readme_nb"], help="the notebook")
    p.add_argument("--out", type=Path, default=root, help="the folder to write to")
    args = p.parse_args()
    text, pictures = make_readme(args.nb, cfg["nbs_path"])
    new = {"README.md": text.encode(), **{f"readme_files/{k}": v for k,v in pictures.items()}}
    there = [args.out/"README.md", *(args.out/"readme_files").glob("*")]
    old = {o.relative_to(args.out).as_posix(): o.read_bytes() for o in there if o.is_file()}
    stale = sorted(k for k in new.keys()|old.keys() if new.get(k) != old.get(k))
    if args.check:
        for o in stale: print(f"{o} is not what {args.nb.name} makes: run `make readme`")
        sys.exit(bool(stale))
    for o in stale:
        fn = args.out/o
        if o not in new: fn.unlink(); continue
        fn.parent.mkdir(parents=True, exist_ok=True)
        fn.write_bytes(new[o])
    print("changed: " + ", ".join(stale) if stale else "README.md is up to date")

if __name__ == "__main__": main()
