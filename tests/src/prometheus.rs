//! A real Prometheus, and its promtool.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use local_mesh::wait_until;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

use crate::repository;

const LIMIT: Duration = Duration::from_secs(60);

/// A Prometheus on a port of 127.0.0.1 that the system chooses; ended when dropped.
#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    url: String,
    agent: Agent,
    _folder: TempDir,
}

/// One series of an answer.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Prometheus {
    /// Starts it with a configuration.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(config: &Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (file, log) = (folder.path().join("prometheus.yaml"), folder.path().join("log"));
        fs::write(&file, config.to_string())?;
        let program = program("PROMETHEUS_BIN", "prometheus")?;
        let mut command = Command::new(&program);
        command.arg("--config.file").arg(&file).arg("--storage.tsdb.path").arg(folder.path().join("data"));
        command.arg("--web.listen-address=127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(fs::File::create(&log)?).spawn();
        let child = child.with_context(|| format!("cannot run {}", program.display()))?;
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(LIMIT)).proxy(None).build();
        let mut prometheus = Self { child, url: String::new(), agent: agent.into(), _folder: folder };
        prometheus.url = wait_until("Prometheus listens", LIMIT, || prometheus.listening(&log))?;
        wait_until("Prometheus answers", LIMIT, || Ok(prometheus.ask("vector(1)").ok()))?;
        Ok(prometheus)
    }

    fn listening(&mut self, log: &Path) -> Result<Option<String>> {
        let log = fs::read_to_string(log)?;
        if let Some(status) = self.child.try_wait()? {
            bail!("Prometheus ended with {status}: {log}");
        }
        let line = log.lines().find(|line| line.contains(r#"msg="Listening on""#));
        Ok(line.and_then(|line| line.split_once("address=")).map(|(_, address)| format!("http://{}", address.trim())))
    }

    /// What PromQL gives now.
    ///
    /// # Errors
    /// Prometheus refuses the query, or it gives no vector.
    pub fn ask(&self, query: &str) -> Result<Vec<Sample>> {
        let answer = self.get("/api/v1/query", &[("query", query)])?;
        let result = answer.pointer("/data/result").and_then(Value::as_array).context("an answer without a result")?;
        result.iter().map(|sample| Sample::read(sample).with_context(|| format!("{query}: {sample}"))).collect()
    }

    /// The alerts that wait or fire, by name.
    ///
    /// # Errors
    /// Prometheus does not answer.
    pub fn alerts(&self) -> Result<Vec<String>> {
        let answer = self.get("/api/v1/alerts", &[])?;
        let alerts = answer.pointer("/data/alerts").and_then(Value::as_array).context("an answer without alerts")?;
        let name = |alert: &Value| Some(alert.pointer("/labels/alertname")?.as_str()?.to_owned());
        Ok(alerts.iter().filter_map(name).collect())
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url)).query_pairs(query.iter().copied());
        let answer: Value = serde_json::from_str(&request.call()?.body_mut().read_to_string()?)?;
        ensure!(answer.pointer("/status") == Some(&"success".into()), "{query:?}: {answer}");
        Ok(answer)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // The only error is that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sample {
    fn read(sample: &Value) -> Option<Self> {
        let labels = sample.pointer("/metric")?.as_object()?;
        let labels = labels.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some(Self { labels: labels.collect(), value: sample.pointer("/value/1")?.as_str()?.parse().ok()? })
    }
}

/// Runs promtool in `manifests/observability`.
///
/// # Errors
/// It finds something, and says what.
pub fn promtool(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program("PROMTOOL_BIN", "usr/bin/promtool")?);
    let output = command.args(arguments).current_dir(repository().join("manifests/observability")).output()?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "promtool {}: {}", arguments.join(" "), String::from_utf8_lossy(&said));
    Ok(())
}

fn program(variable: &str, name: &str) -> Result<PathBuf> {
    let program =
        env::var_os(variable).map_or_else(|| repository().join(".tools/prometheus").join(name), PathBuf::from);
    ensure!(
        program.is_file(),
        "there is no {}: run `cargo run --package xtask -- setup prometheus`",
        program.display()
    );
    Ok(program)
}
