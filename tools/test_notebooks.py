"Run the notebooks' tests with nbdev, each in a process of its own; the last line reads `N passed, M failed`."
import argparse, os, re, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

root = Path(__file__).resolve().parent.parent
running = set()

def test_one(fn, flags, verdict):
    "In the child: test the notebook `fn`, then write what came of it to the file `verdict`"
    from nbdev.config import get_config
    from nbdev.test import test_nb
    passed, secs = test_nb(fn, skip_flags=get_config().tst_flags.split(), force_flags=flags.split(), basepath=root)
    verdict.write_text("skipped" if passed and secs == 0 else "passed" if passed else "failed")

def run_one(fn, flags, timeout):
    "Start the child for `fn`: what came of it, the seconds it took, and what it printed"
    start = time.time()
    with tempfile.TemporaryDirectory() as tmp:
        verdict = Path(tmp)/"verdict"
        # one thread a process, since several run at once; IPython keeps its history out of the user's home
        env = {**{f"{o}_NUM_THREADS": "1" for o in ("OMP", "OPENBLAS", "MKL")}, **os.environ, "IPYTHONDIR": tmp, "PYTHONUNBUFFERED": "1"}
        cmd = [sys.executable, __file__, "--one", str(fn), "--verdict", str(verdict), "--flags", flags]
        p = subprocess.Popen(cmd, cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace", start_new_session=True)
        running.add(p)
        try: out, _ = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, 9)
            return "failed", time.time()-start, f"{p.communicate()[0]}\nstopped: still running after {timeout} s"
        finally: running.discard(p)
        res = verdict.read_text() if verdict.exists() else "failed"
        # a process that dies on its way out has not passed, whatever it wrote before
        if p.returncode: res, out = "failed", f"{out}\nthe process ended with status {p.returncode}"
        elif not verdict.exists(): out += "\nthe process ended before the notebook did"
    return res, time.time()-start, out

def notebooks(names):
    "The notebooks to test, as `nbdev_test` chooses them; `names` narrows them to those that contain one of the words"
    from nbdev.config import get_config
    from nbdev.doclinks import nbglob
    os.chdir(root)
    nbs = Path(get_config().nbs_path).resolve()
    fns = [Path(o).resolve() for o in nbglob(nbs)]
    return nbs, sorted(o for o in fns if not (o.parent/".notest").exists() and (not names or any(n in str(o.relative_to(nbs)) for n in names)))

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("names", nargs="*", help="only notebooks whose name contains one of these")
    p.add_argument("--flags", default="", help="flagged cells to run as well, e.g. 'slow net'")
    p.add_argument("--workers", type=int, default=2, help="notebooks at a time")
    p.add_argument("--timeout", type=float, default=600, help="seconds a notebook may take")
    p.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    p.add_argument("--verdict", type=Path, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.one: return test_one(args.one, args.flags, args.verdict)

    nbs, fns = notebooks(args.names)
    failed, skipped, width = [], 0, max((len(str(o.relative_to(nbs))) for o in fns), default=0)
    pool = ThreadPoolExecutor(args.workers)
    jobs = {pool.submit(run_one, fn, args.flags, args.timeout): str(fn.relative_to(nbs)) for fn in fns}
    try:
        for job in as_completed(jobs):
            res, secs, out = job.result()
            print(f"{jobs[job]:{width}}  {res:7} {secs:6.1f} s", flush=True)
            if res == "failed":
                failed.append(jobs[job])
                print(re.sub(r"^(?=.)", "    ", out.strip(), flags=re.M), flush=True)
            skipped += res == "skipped"
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for p in list(running): os.killpg(p.pid, 9)
        sys.exit("interrupted")
    if not fns: print(f"no notebook to test in {nbs}")
    if skipped: print(f"{skipped} not run: their front matter says skip_exec")
    if failed: print("failed:", ", ".join(sorted(failed)))
    print(f"{len(fns)-len(failed)-skipped} passed, {len(failed)} failed", flush=True)
    sys.exit(bool(failed) or not fns)

if __name__ == "__main__": main()
