"use strict";

// Finds the Python program, in this order: PAYLERA_MOCK_COMMAND, the PATH, uvx, pipx, a virtual environment of its own.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { version } = require("../package.json");

const PROGRAM = "paylera-mock";
const OWN = fs.realpathSync(path.join(__dirname, "..", "bin", "paylera-mock.js"));
const IS_WINDOWS = process.platform === "win32";
const PYTHONS = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
const PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])";
const PRINT_EXECUTABLE = "import sys; print(sys.executable)";

/** No way was found to run the program: the message says what was tried, and what to do. */
class CommandNotFoundError extends Error {}

/** The command that is the program, as a list of its words. Throws CommandNotFoundError. */
function findCommand(env = process.env) {
  const requirement = env.PAYLERA_MOCK_REQUIREMENT || `paylera-testkit==${version}`;
  const tried = [];
  const found =
    namedCommand(env) ??
    onPath(env) ??
    byUvx(env, requirement, tried) ??
    byPipx(env, requirement, tried) ??
    inOwnEnvironment(env, requirement, tried);
  if (found) return found;
  const advice = tried.some((each) => each.includes("could not install"))
    ? "Check PAYLERA_MOCK_REQUIREMENT, or the index"
    : "Install uv (https://docs.astral.sh/uv/) or Python 3.11 or later";
  throw new CommandNotFoundError(
    `this package starts a Python program, and found no way to run it: ${tried.join("; ")}. ` +
      `${advice}, or name the program: PAYLERA_MOCK_COMMAND=/path/to/paylera-mock`,
  );
}

/** What the environment names: a path, or a command with arguments. */
function namedCommand(env) {
  const named = (env.PAYLERA_MOCK_COMMAND ?? "").trim();
  if (!named) return undefined;
  return fs.existsSync(named) ? [named] : named.split(/\s+/);
}

/** The program on the PATH; never this package, which npm puts there too. */
function onPath(env) {
  const file = search(PROGRAM, env).find((each) => !isOfNpm(each));
  return file && [file];
}

function isOfNpm(file) {
  const folders = [file, fs.realpathSync(file)].flatMap((each) => each.split(path.sep));
  if (folders.includes("node_modules") || fs.realpathSync(file) === OWN) return true;
  // On Windows npm writes a script, which names where the package is.
  return /\.(cmd|bat)$/.test(file) && fs.readFileSync(file, "latin1").includes("node_modules");
}

/** The files of a program in the directories of the PATH, the first first. */
function search(name, env) {
  const endings = IS_WINDOWS ? [".exe", ".cmd", ".bat"] : [""];
  const directories = (env.PATH ?? env.Path ?? "").split(path.delimiter).filter(Boolean);
  return directories.flatMap((each) => endings.map((ending) => path.join(each, name + ending))).filter(isProgram);
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The Python into which uvx has put the program: no uvx stands between it and who starts it. */
function byUvx(env, requirement, tried) {
  const [uvx] = search("uvx", env);
  if (!uvx) {
    tried.push("there is no uvx");
    return undefined;
  }
  const asked = spawnSync(uvx, ["--from", requirement, "python", "-c", PRINT_EXECUTABLE], asking(env));
  const python = asked.status === 0 ? asked.stdout.trim() : "";
  if (python) return [python, "-P", "-m", "paylera_mock"];
  tried.push(`uvx could not install ${requirement}`);
  return undefined;
}

function byPipx(env, requirement, tried) {
  const [pipx] = search("pipx", env);
  if (!pipx) {
    tried.push("there is no pipx");
    return undefined;
  }
  const python = findPython(env, []);
  if (!python) tried.push("pipx needs Python 3.11 or later");
  return python && [pipx, "run", "--quiet", "--python", python, "--spec", requirement, PROGRAM];
}

/** The program in an environment that is made once for each version, in the user's cache. */
function inOwnEnvironment(env, requirement, tried) {
  const python = findPython(env, tried);
  if (!python) return undefined;
  const folder = path.join(cacheFolder(env), PROGRAM, requirement.replace(/[^\w.=-]+/g, "_"));
  const scripts = path.join(folder, IS_WINDOWS ? "Scripts" : "bin");
  const program = path.join(scripts, IS_WINDOWS ? `${PROGRAM}.exe` : PROGRAM);
  if (isProgram(program)) return [program];
  process.stderr.write(`${PROGRAM}: installing ${requirement} with ${python} into ${folder}, this once\n`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement];
  for (const [command, args, failure] of [
    [python, ["-m", "venv", "--clear", folder], `${path.basename(python)} -m venv failed`],
    [path.join(scripts, "python"), pip, `pip could not install ${requirement}`],
  ]) {
    if (spawnSync(command, args, { env, stdio: ["ignore", 2, 2] }).status !== 0) {
      tried.push(failure);
      return undefined;
    }
  }
  return [program];
}

/** The first Python that is recent enough; what is wrong with the others goes to `tried`. */
function findPython(env, tried) {
  const seen = [];
  for (const name of PYTHONS) {
    const [file] = search(name, env);
    const asked = file && spawnSync(file, ["-c", PRINT_VERSION], asking(env));
    const [major, minor] = asked?.status === 0 ? asked.stdout.trim().split(".").map(Number) : [];
    if (major === 3 && minor >= 11) return file;
    if (major) seen.push(`${name} is ${major}.${minor}`);
  }
  tried.push(`there is no Python 3.11 or later${seen.length ? ` (${seen.join(", ")})` : ""}`);
  return undefined;
}

/** What to say where the command that was found does not start, which `spawn` tells by an error. */
function explainSpawnError(program, error, env = process.env) {
  const advice = namedCommand(env) ? "check PAYLERA_MOCK_COMMAND" : "name another by PAYLERA_MOCK_COMMAND";
  return `${program} cannot be run (${error.code}): ${advice}`;
}

function asking(env) {
  return { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
}

function cacheFolder(env) {
  if (IS_WINDOWS) return env.LOCALAPPDATA || path.join(os.homedir(), "AppData", "Local");
  return env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
}

module.exports = { CommandNotFoundError, explainSpawnError, findCommand };
