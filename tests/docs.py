#!/usr/bin/env python3
"""Whether what is written about the program is true of it.

    docs.py BUILD      one line for each fault, then "N passed, N failed"
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ["diagnose", "explain", "replay", "causes", "serve", "account", "key", "workspace", "config", "backup", "restore", "secrets", "doctor", "sandbox", "demo"]

passed = failed = skipped = 0


def check(fine, what, *details):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print("FAILED %s%s" % (what, "".join("\n       " + str(d) for d in details)))


def same(what, ours, theirs):
    """Both sets of names hold the same; says which do not."""
    check(ours == theirs and ours, what, *["only there: " + n for n in sorted(theirs - ours)],
          *["missing there: " + n for n in sorted(ours - theirs)])


def read(path):
    file = ROOT / path
    if not file.exists():
        check(False, "%s exists" % path)
        return ""
    return file.read_text(encoding="utf-8")


# -- what the program says ---------------------------------------------------------------------------------------------

def ask(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, env={"LANG": "C.UTF-8"}, check=True).stdout


def options_of(program, command):
    """ "-l", "--lang" … as --help lists them. argp tells short ones first, and an optional value in brackets."""
    found = set()
    for line in ask(program, command, "--help").splitlines():
        m = re.match(r"\s+((?:-\S(?:, )?)?(?:--[a-z-]+\S*)?)(?:\s|$)", line)
        if m and m[1].startswith("-"):
            found |= set(re.findall(r"(?<![\w-])-(?:-[a-z-]+|[a-zA-Z?](?=,|$))", m[1]))
    return found


# -- what is written ---------------------------------------------------------------------------------------------------

def options_in_manual(path):
    """Those with an entry of their own (.It Fl …), each as "-l" or "--lang"."""
    found = set()
    for line in re.findall(r"^\.It Fl (.*)$", read(path), re.M):
        for word in re.split(r" , ", re.split(r" Ns | Ar ", line)[0]):
            found.add("-" + word.strip().replace("\\&", ""))
    return found


def options_in_bash(command):
    """The long ones; short ones need no completing."""
    body = re.search(r"_mailmoor_options\(\)(.*?)^}", read("completion/mailmoor.bash"), re.S | re.M)
    row = re.search(r"^\t%s\)(.*?);;" % command, body[1] if body else "", re.S | re.M)
    return set(re.findall(r"--[a-z-]+", row[1] if row else ""))


def options_in_zsh(command):
    text = read("completion/_mailmoor")
    body = re.search(r"^\t%s\)$(.*?);;" % command, text, re.S | re.M)
    groups = dict(re.findall(r"^\t(\w+)=(\(.*)$", text, re.M))
    used = body[1] if body else ""
    used = re.sub(r"\[.*?\]", "", used + "".join(groups[name] for name in re.findall(r"\$(\w+)", used) if name in groups))
    return set(re.findall(r"--[a-z-]+", used))


def options_in_fish(command):
    text = read("completion/mailmoor.fish")
    groups = {name: words.split() for name, words in re.findall(r"^set -l (\w+) '__fish_seen_subcommand_from (.*)'$", text, re.M)}
    return {"--" + option for group, rest in re.findall(r"^complete -c mailmoor -n \$(\w+) (.*)$", text, re.M)
            if command in groups.get(group, []) for option in re.findall(r"-l ([a-z-]+)", rest.split(" -d ")[0])}


def options_are_told(program):
    for command in COMMANDS:
        told = options_of(program, command)
        long = {o for o in told if o.startswith("--")}
        same("options of %s in its manual" % command, told, options_in_manual("man/mailmoor-%s.1" % command))
        same("options of %s in bash's completion" % command, long, options_in_bash(command))
        same("options of %s in zsh's completion" % command, long, options_in_zsh(command))
        same("options of %s in fish's completion" % command, long, options_in_fish(command))


def commands_are_told(program):
    help_text = ask(program, "--help")
    built = set(re.findall(r"^  ([a-z]+) {2,}", help_text, re.M)) - {"mailmoor"}
    later = set(re.split(r",\s+", re.search(r"Not built yet: (.*?)\.", help_text, re.S)[1])) if "Not built yet" in help_text else set()
    manual = read("man/mailmoor.1")
    same("commands that this test knows", built, set(COMMANDS))
    same("commands in the manual", built, set(re.findall(r"^\.It Ic (\w+)", manual, re.M)))
    for command in sorted(later):
        check(re.search(r"\b%s\b" % command, manual), "the manual says that %s comes later" % command)
    for command in sorted(built):
        check("mailmoor-%s 1" % command in manual, "the manual leads to that of %s" % command)
        for file, pattern in (("mailmoor.bash", '"[^"]*\\b%s\\b[^"]*--version'), ("_mailmoor", "[( ]%s\\\\:"),
                              ("mailmoor.fish", "use_subcommand -a %s ")):
            check(re.search(pattern % command, read("completion/" + file)), "%s completes %s" % (file, command))


def languages_are_told(program):
    tags = {p.stem for p in (ROOT / "po").glob("*.po")}
    for command in (c for c in COMMANDS if "--lang" in options_of(program, c)):
        name = "man/mailmoor-%s.1" % command
        text = re.search(r"^\.It Fl l , -lang.*?^\.It ", read(name), re.S | re.M)
        same("languages in %s" % name, tags, set(re.findall(r"\b[a-z]{2}\b", " ".join(re.findall(r"^(?:\.Cm (.*)|or)$", text[0], re.M)))) if text else set())
    for file in ("mailmoor.bash", "_mailmoor", "mailmoor.fish"):
        found = re.search(r"\b(en(?: [a-z]{2})+)\b", read("completion/" + file))
        same("languages in %s" % file, tags, set(found[1].split()) if found else set())
    for tag in sorted(tags):
        check(ask(program, "causes", "--lang", tag), "the program speaks %s" % tag)


def settings_are_told():
    rows = re.findall(r'^SETTING\(\w+,\s*"(\w+)",\s*"(\w+)"', read("src/base/settings.def"), re.M)
    manual = read("man/mailmoor.conf.5")
    sections = dict(re.findall(r"^\.Ss The section (\w+)\n(.*?)(?=^\.S[sh] )", manual, re.S | re.M))
    same("sections of mailmoor.conf", {s for s, _ in rows}, set(sections))
    for section in sorted({s for s, _ in rows}):
        same("settings of [%s]" % section, {k for s, k in rows if s == section},
             set(re.findall(r"^\.It Cm (\w+)", sections.get(section, ""), re.M)))


def exit_statuses_are_told():
    """command.h is the API; the manual says the same numbers."""
    told = set(re.findall(r"EXIT_\w+\s*=\s*(\d+)", read("src/cmd/command.h")))
    for name in ("man/mailmoor.1", "man/mailmoor-diagnose.1"):
        part = re.search(r"^\.Sh EXIT STATUS\n(.*?)^\.Sh ", read(name), re.S | re.M)
        same("exit statuses in %s" % name, told, set(re.findall(r"^\.It (\d+)$", part[1], re.M)) if part else set())


def causes_are_real(program):
    """Whatever looks like a cause in prose, and begins as causes do, has to be one."""
    known = {row["id"] for row in json.loads(ask(program, "causes", "--json"))}
    kinds = {id.split(".")[0] for id in known}
    # `tls.verify = ok` in a text is a fact, not a cause
    facts = set(re.findall(r'"([a-z0-9_]+\.[a-z0-9_.]+)"', read("src/model/facts.h")))
    events = set(re.findall(r'"([a-z]+\.[a-z_]+)"', re.search(r"event_types\[\] = \{(.*?)\};", read("src/serve/fields.c"), re.S)[1]))
    steps = set(re.findall(r'^msgctxt "ui/step\.([a-z0-9_.]+)"', read("po/en.po"), re.M))
    files = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("man/*.[1-9]")]
    for file in files:
        if not file.exists():
            continue
        for quoted in re.findall(r"`([a-z]+\.[a-z_]+)`|^\.Ql ([a-z]+\.[a-z_]+)(?: [.,;:)])?$", file.read_text(encoding="utf-8"), re.M):
            name = quoted[0] or quoted[1]
            if name.split(".")[0] in kinds and name not in facts | steps | events and not (ROOT / name).exists() \
                    and not name.endswith((".py", ".sh", ".md", ".conf", ".c", ".h", ".def", ".example")):
                check(name in known, "%s: %s is a cause" % (file.relative_to(ROOT), name))


def readme_commands_exist():
    targets = set(re.findall(r"^([a-z]+)(?: [a-z ]+)?:(?!=)", read("Makefile"), re.M)) | \
        {t for line in re.findall(r"^\.PHONY:(.*)$", read("Makefile"), re.M) for t in line.split()}
    used = set(re.findall(r"(?:^|`|\$ )\s*make ([a-z]+)", read("README.md"), re.M))
    check({"run", "test"} <= used, "the README says make run and make test", "it says: %s" % sorted(used))
    for target in sorted(used):
        check(target in targets, "make %s of the README exists" % target)


def dependencies_are_told():
    """Each package that deps.sh installs has its row, and no other has one."""
    script = read("tools/deps.sh")
    packages = set(" ".join(re.findall(r'(?:packages="(?:\$packages )?|unpacked=")([^"]*)"', script)).split())
    cells = re.findall(r"^\| ([^|]+) \|", read("docs/dependencies.md"), re.M)
    named = {n.strip() for cell in cells if "(" not in cell for n in cell.split(",")} - {"package", "---"}
    same("packages in docs/dependencies.md", packages, named)


def manuals_are_well_formed():
    global skipped
    if not shutil.which("mandoc"):
        skipped += 1
        return
    for file in sorted(ROOT.glob("man/*.[1-9]")):
        p = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(file)], capture_output=True, text=True)
        check(p.returncode == 0, "%s is well formed" % file.name, *p.stdout.splitlines())
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", file.read_text(encoding="utf-8"), re.M):
            check((ROOT / "man" / ("%s.%s" % (name, section))).exists(), "%s leads to %s(%s), which exists" % (file.name, name, section))


def completions_are_well_formed():
    global skipped
    for shell, file in (("bash", "mailmoor.bash"), ("zsh", "_mailmoor"), ("fish", "mailmoor.fish")):
        if not shutil.which(shell):
            skipped += 1
            continue
        p = subprocess.run([shell, "-n", str(ROOT / "completion" / file)], capture_output=True, text=True)
        check(p.returncode == 0, "%s reads %s" % (shell, file), p.stderr.strip())
    rows = [("mailmoor dia", 1, "diagnose"), ("mailmoor diagnose --lang= n", 4, "nl"), ("mailmoor diagnose --pass", 2, "--password-file="),
            ("mailmoor causes --js", 2, "--json"), ("mailmoor explain -l f", 3, "fi"), ("mailmoor account rec", 2, "reconnect"),
            ("mailmoor account add --pass", 3, "--password-file="), ("mailmoor secrets ro", 2, "rotate"), ("mailmoor key add --scope= op", 5, "operator")]
    for line, at, wanted in rows:
        words = line.replace("=", " =").split()
        script = "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _mailmoor; echo \"${COMPREPLY[*]}\"" % (
            ROOT / "completion/mailmoor.bash", " ".join(words), at)
        p = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        check(p.stdout.strip() == wanted, "bash completes \"%s\" to %s" % (line, wanted), p.stdout.strip(), p.stderr.strip())


def main():
    program = str(Path(sys.argv[1]).resolve() / "mailmoor")
    options_are_told(program)
    commands_are_told(program)
    languages_are_told(program)
    settings_are_told()
    exit_statuses_are_told()
    causes_are_real(program)
    readme_commands_exist()
    dependencies_are_told()
    manuals_are_well_formed()
    completions_are_well_formed()
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
