//! A connection of HTTP/1.1 that stays open: its requests all reach one worker of Envoy.

use std::{
    io::{BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::http1::{Response, receive};

const TIMEOUT: Duration = Duration::from_secs(30);

/// An open connection.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("failed to connect to {address}"))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a GET request for each of the lists of header lines, all at once, and then reads the answers, which must
    /// all be 200.
    ///
    /// # Errors
    /// The connection ends, or an answer is another.
    pub fn get<'h>(&mut self, requests: &[Vec<(&'h str, &'h str)>]) -> Result<Vec<Response>> {
        let mut text = String::new();
        for lines in requests {
            text += "GET / HTTP/1.1\r\nhost: a\r\n";
            for (name, value) in lines {
                text.extend([name, ": ", value, "\r\n"]);
            }
            text += "\r\n";
        }
        self.0.get_mut().write_all(text.as_bytes())?;
        let answer = |_| {
            let response = receive(&mut self.0)?;
            ensure!(response.status == 200, "{}: {}", response.status, response.body.escape_ascii());
            Ok(response)
        };
        requests.iter().map(answer).collect()
    }
}
