use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::pod::without_environment;

/// Where `make setup` put OpenTelemetry's auto-instrumentation for Python, in `.tools/` of the repository.
#[must_use]
pub fn installed_opentelemetry(repo_root: &Path) -> PathBuf {
    repo_root.join(".tools/opentelemetry")
}

/// The command that runs `program` under OpenTelemetry's auto-instrumentation, which pip installed into `packages`. Its
/// environment is empty but for what leads Python to the packages.
pub(crate) fn instrumented(program: &Path, packages: &Path) -> Result<Command> {
    let instrument = packages.join("bin/opentelemetry-instrument");
    ensure!(instrument.is_file(), "there is no {}: run `make setup`", instrument.display());
    let interpreter = interpreter()?;
    let mut command = without_environment(&interpreter);
    command.arg(instrument).arg(interpreter).arg(program).env("PYTHONPATH", packages);
    Ok(command)
}

/// The interpreter itself: what `PATH` has may be a script that looks for it each time and needs an environment for that.
fn interpreter() -> Result<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.context("cannot run python3: install Python 3.10 or later")?;
    let interpreter = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    ensure!(interpreter.is_file(), "python3 does not say where it is: {}", String::from_utf8_lossy(&output.stderr));
    Ok(interpreter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_packages_the_error_says_how_to_get_them() {
        let packages = installed_opentelemetry(Path::new("/nowhere"));
        let error = instrumented(Path::new("application.py"), &packages).unwrap_err().to_string();
        assert_eq!(error, "there is no /nowhere/.tools/opentelemetry/bin/opentelemetry-instrument: run `make setup`");
    }
}
