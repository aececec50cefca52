//! What `docs/languages.md` shows computes what the filter does: each language that is on this machine, over all vectors.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    env,
    fs::{self, File},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Trial};
use traffic_lanes_tests::{repository, testdata, vectors::Vectors};

/// A language of the page.
struct Language {
    /// Of its code block.
    name: &'static str,
    /// What must be there.
    needs: &'static str,
    /// What runs a file.
    command: &'static [&'static str],
    file: &'static str,
    /// A program around the code, which stands where the dots are: for each line of hexadecimal digits, both hashes.
    program: &'static str,
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "python",
        needs: "python3",
        command: &["python3"],
        file: "lane.py",
        program: "…
import sys
for line in sys.stdin:
    data = bytes.fromhex(line)
    print(fnv1a32(data), murmur3(data))
",
    },
    Language {
        name: "js",
        needs: "node",
        command: &["node"],
        file: "lane.js",
        program: "…
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) {
  const data = Uint8Array.from(Buffer.from(line, 'hex'));
  console.log(fnv1a32(data), murmur3(data));
}
",
    },
    Language {
        name: "java",
        needs: "javac",
        command: &["java"],
        file: "Lane.java",
        program: "class Lane {
…
public static void main(String[] none) throws Exception {
    var lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
        byte[] data = new byte[line.length() / 2];
        for (int i = 0; i < data.length; i++) data[i] = (byte) Integer.parseInt(line.substring(2 * i, 2 * i + 2), 16);
        System.out.println(Integer.toUnsignedString(fnv1a32(data)) + \" \" + Integer.toUnsignedString(murmur3(data)));
    }
}
}
",
    },
    Language {
        name: "go",
        needs: "go",
        command: &["go", "run"],
        file: "lane.go",
        program: "package main
import (\"bufio\"; \"encoding/binary\"; \"encoding/hex\"; \"fmt\"; \"hash/fnv\"; \"math/bits\"; \"os\")
…
func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		data, _ := hex.DecodeString(lines.Text())
		fmt.Println(fnv1a32(data), murmur3(data))
	}
}
",
    },
];

fn main() {
    let arguments = Arguments::from_args();
    let (asked, expected) = vectors();
    let page = fs::read_to_string(repository().join("docs/languages.md")).unwrap();
    let trials = LANGUAGES.iter().map(|language| {
        let code = page.split(&format!("```{}\n", language.name)).nth(1).unwrap().split("```").next().unwrap();
        let (program, asked, expected) = (language.program.replace('…', code), asked.clone(), expected.clone());
        // Set-up has the others.
        let is_missing = ["go", "java"].contains(&language.name) && !is_on_path(language.needs);
        let name = if is_missing {
            format!("{}, not run: no {} on PATH", language.name, language.needs)
        } else {
            format!("{}, {} identities and both hashes of each", language.name, expected.lines().count())
        };
        let trial = move || language.run(&program, &asked).and_then(|said| compare(&said, &expected));
        Trial::test(name, move || Ok(trial()?)).with_ignored_flag(is_missing)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// What is hashed, a line of hexadecimal digits each, and what FNV-1a and murmur3 make of it.
fn vectors() -> (String, String) {
    let vectors = Vectors::load(&testdata("hash-vectors.toml")).unwrap();
    let (mut asked, mut expected) = (String::new(), String::new());
    for vector in &vectors.vector {
        let identity = vector.identity().unwrap();
        let salted = [vectors.salt.as_bytes(), &identity].concat();
        // Of salt and identity there is no published FNV-1a, for no rule computes it.
        let of_salted = hash_tagging::fnv1a32(&salted).into();
        let lines = [(&identity, vector.fnv1a32.hash, &vector.murmur3), (&salted, of_salted, &vector.murmur3_salted)];
        for (data, fnv1a32, murmur3) in lines {
            asked.extend(data.iter().map(|byte| format!("{byte:02x}")));
            asked.push('\n');
            expected += &format!("{fnv1a32} {}\n", murmur3.hash);
        }
    }
    assert!(expected.lines().count() >= 400, "only {}", expected.lines().count());
    (asked, expected)
}

impl Language {
    fn run(&self, program: &str, asked: &str) -> Result<String> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(self.file), program)?;
        fs::write(folder.path().join("asked"), asked)?;
        let (interpreter, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(interpreter);
        command.args(arguments).arg(self.file).current_dir(folder.path());
        let output = command.stdin(File::open(folder.path().join("asked"))?).output();
        let output = output.with_context(|| format!("failed to start {interpreter}"))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn compare(said: &str, expected: &str) -> Result<()> {
    ensure!(said.lines().count() == expected.lines().count(), "{} lines: {said}", said.lines().count());
    for (index, (said, expected)) in said.lines().zip(expected.lines()).enumerate() {
        ensure!(said == expected, "line {index}: {said} instead of {expected}");
    }
    Ok(())
}

fn is_on_path(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}
