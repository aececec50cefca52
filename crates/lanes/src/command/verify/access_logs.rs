//! Follows access logs while they are written.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use lanes::{
    document::LaneGroup,
    verify::{AccessLog, Answer},
};
use tokio::time::{Instant, sleep};

/// Envoy writes every ten seconds, if not every 64 KiB (`--file-flush-interval-msec`).
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);
/// Of a file, at a time.
const MOST: usize = 1 << 24;

/// The files, from where they ended before the first request.
pub(super) struct AccessLogs(Vec<Followed>);

struct Followed {
    path: PathBuf,
    file: BufReader<File>,
    /// A line of which the end is not written yet.
    line: String,
}

impl AccessLogs {
    /// None if no file is named.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Option<Self>> {
        let files = paths.iter().map(|path| Followed::open(path)).collect::<Result<Vec<_>>>()?;
        Ok(Some(Self(files)).filter(|logs| !logs.0.is_empty()))
    }

    /// Adds to the answers what the logs say of their requests, once they have all of them, or no more comes.
    pub(super) async fn complete(mut self, group: &LaneGroup, answers: Vec<&mut Answer>) -> Result<()> {
        let Some(mut log) = AccessLog::of(group, answers.iter().map(|answer| &**answer)) else { return Ok(()) };
        let begin = Instant::now();
        loop {
            for file in &mut self.0 {
                file.read(&mut log)?;
            }
            if begin.elapsed() > PATIENCE || answers.iter().all(|answer| log.has_all(answer)) {
                break;
            }
            sleep(PAUSE).await;
        }
        answers.into_iter().for_each(|answer| log.complete(answer));
        Ok(())
    }
}

impl Followed {
    fn open(path: &Path) -> Result<Self> {
        let open = || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::End(0))?;
            Ok::<_, std::io::Error>(file)
        };
        let file = open().with_context(|| format!("--access-log {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), line: String::new() })
    }

    fn read(&mut self, log: &mut AccessLog<'_>) -> Result<()> {
        let mut read = 0;
        while read < MOST {
            let mut line = Vec::new();
            read += self.file.read_until(b'\n', &mut line).with_context(|| format!("{}", self.path.display()))?;
            self.line += &String::from_utf8_lossy(&line);
            if !self.line.ends_with('\n') {
                break;
            }
            log.take(&self.line);
            self.line.clear();
        }
        Ok(())
    }
}
