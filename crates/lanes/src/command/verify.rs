//! `lanes verify`.

mod access_logs;
mod client;
mod junit;
mod told;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use futures_util::{StreamExt, future};
use header_edit::HeaderName;
use indicatif::{ProgressBar, ProgressStyle};
use lanes::{
    document::LaneGroup,
    verify::{Answer, Asked, Judge, Plan, Report, RequestIds, Source, Versions},
};
use reqwest::Url;
use tokio::{runtime::Builder, time::Instant};

use self::{access_logs::AccessLogs, client::Client};
use super::{FINE, group, print, print_json, rollout::Interruption};

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// The gateway, such as http://127.0.0.11:8080. Behind a path, that is what is asked for
    #[arg(long, value_name = "URL")]
    gateway: Url,
    /// The host to ask for; one that the gateway serves unless given. With https it is the name in the certificate as well
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// The path to ask for, with its query; one that a route takes unless given
    #[arg(long)]
    path: Option<String>,
    /// The method to ask by
    #[arg(long, default_value = "GET")]
    method: String,
    /// Another header of every request, as `name: value`; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// How many requests shares are judged by; some others are sent beside
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    requests: usize,
    /// How many requests a second, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How many requests at the same time, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
    /// Where an answer says which version gave it: `sample`, `header:NAME` or `json:/POINTER`, perhaps behind `SERVICE=`. May be
    /// repeated
    #[arg(long = "answer", value_name = "WHERE", default_value = "sample", value_parser = source)]
    answers: Vec<Source>,
    /// The label of the pods that is the version; what tells the lanes apart unless given
    #[arg(long, value_name = "LABEL")]
    version_label: Option<String>,
    /// Ask each service which headers it got, and say at which hop the lane was lost; the sample application can
    #[arg(long)]
    propagation: bool,
    /// Where gateway and sidecars write an access log of JSON meanwhile (docs/metrics.md): it shows which tag each service got in
    /// place of applications that do not. May be repeated
    #[arg(long = "access-log", value_name = "FILE", requires = "propagation")]
    access_logs: Vec<PathBuf>,
    /// Go on, round after round, until it is interrupted
    #[arg(long)]
    watch: bool,
    /// For people or for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Lines for people; in colour on a terminal
    Text,
    /// JSON for programs
    Json,
    /// JUnit's XML for pipelines
    Junit,
}

/// By what the sample application shows what each service got.
const ECHO_HEADERS: (&str, &str) = ("x-echo-headers", "1");

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        self.ensure_services(&group)?;
        let versions = Versions::of(&group.spec, self.version_label.as_deref())?;
        let plan = Plan::of(&group, &self.asked(&group)?)?;
        let runtime = Builder::new_current_thread().enable_all().build().context("failed to start the client")?;
        let client =
            Client::new(&self.gateway, self.host.as_deref().or(served(&group)), Duration::from_secs(self.timeout))?;
        let interruption = Interruption::watch()?;
        let mut has_failed = false;
        for round in 1.. {
            let report = runtime.block_on(self.round(&group, &plan, &versions, &client, &interruption))?;
            if !self.watch && interruption.has_come() {
                bail!("interrupted");
            }
            has_failed |= report.has_failed();
            match self.format {
                Format::Text if round > 1 => print(&told::again(round, &report))?,
                Format::Text => print(&told::whole(&group, &self.gateway, &report))?,
                Format::Json => print_json(&report)?,
                Format::Junit => print(&junit::junit(&group, &report))?,
            };
            if interruption.has_come() || !self.watch {
                break;
            }
        }
        Ok(if has_failed { ExitCode::from(1) } else { FINE })
    }

    /// Sends everything once.
    async fn round(
        &self,
        group: &LaneGroup,
        plan: &Plan,
        versions: &Versions,
        client: &Client,
        interruption: &Interruption,
    ) -> Result<Report> {
        let logs = AccessLogs::open(&self.access_logs)?;
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} requests, {elapsed} ({eta} left)")?;
        let progress = ProgressBar::new(plan.sends() as u64).with_style(style);
        let ids = RequestIds::of(&group.spec, logs.is_some());
        let (begin, pause) = (Instant::now(), Duration::from_secs(1) / self.rate);
        let send = |(number, probe): (u32, usize)| {
            let (ids, asked) = (ids.as_ref(), plan.probes.get(probe));
            async move {
                tokio::time::sleep_until(begin + pause * number).await;
                let answer = client.send(asked?, ids, &group.spec, &self.answers).await;
                Some((probe, answer))
            }
        };
        let order = order(plan).into_iter().zip(0..).map(|(probe, number)| (number, probe));
        let order = order.take_while(|_| !interruption.has_come());
        let answers = futures_util::stream::iter(order).map(send).buffer_unordered(self.concurrency.into());
        let answers = answers.inspect(|_| progress.inc(1)).filter_map(future::ready);
        let mut answers: Vec<(usize, Answer)> = answers.collect().await;
        progress.finish_and_clear();
        if let Some(logs) = logs {
            logs.complete(group, answers.iter_mut().map(|(_, answer)| answer).collect()).await?;
        }
        let mut judge = Judge::new(group, plan, versions, self.propagation);
        answers.iter().for_each(|(probe, answer)| judge.take(*probe, answer));
        Ok(judge.report())
    }

    fn asked(&self, group: &LaneGroup) -> Result<Asked> {
        let mut headers = Vec::new();
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                bail!("--header {header}: expected `name: value`");
            };
            let name = HeaderName::parse(name).with_context(|| format!("--header {header}"))?;
            headers.push((name.as_str().to_owned(), value.trim().to_owned()));
        }
        if self.propagation && self.access_logs.is_empty() {
            headers.push((ECHO_HEADERS.0.to_owned(), ECHO_HEADERS.1.to_owned()));
        }
        let own = self.gateway.host_str().unwrap_or_default();
        let path = Some(self.gateway.path().to_owned()).filter(|path| path != "/");
        Ok(Asked {
            method: self.method.clone(),
            path: self.path.clone().or(path),
            host: self.host.as_deref().or(served(group)).unwrap_or(own).to_owned(),
            headers,
            requests: self.requests,
        })
    }

    fn ensure_services(&self, group: &LaneGroup) -> Result<()> {
        for service in self.answers.iter().filter_map(Source::service) {
            let known = group.spec.service(service).is_some();
            ensure!(known, "--answer {service}=…: the lane group has no service `{service}`");
        }
        Ok(())
    }
}

/// The first host that the gateway serves, if the group says a name.
fn served(group: &LaneGroup) -> Option<&str> {
    let hosts = group.spec.gateway.iter().flat_map(|gateway| &gateway.hosts);
    hosts.map(String::as_str).find(|host| !host.contains('*'))
}

/// The probes by turns, so that what is asked often is spread over the whole time.
fn order(plan: &Plan) -> Vec<usize> {
    let mut turns: Vec<(f64, usize)> = Vec::new();
    for (index, probe) in plan.probes.iter().enumerate() {
        turns.extend((0..probe.sends).map(|turn| ((turn as f64 + 0.5) / probe.sends as f64, index)));
    }
    turns.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    turns.into_iter().map(|(_, index)| index).collect()
}

fn source(text: &str) -> Result<Source, String> {
    text.parse()
}
