//! An upstream that answers with the request as it arrived.

use std::{
    io::{BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

use anyhow::Result;

use crate::http1;

/// Answers every request with its own head, byte for byte. Ends with the process.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
}

impl Echo {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A proxy closes connections as it likes; that is no failure of the upstream.
                thread::spawn(move || serve(&stream).ok());
            }
        });
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Requests without a body, one after the other.
fn serve(mut stream: &TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let head = http1::read_head(&mut reader)?;
        if head.is_empty() {
            return Ok(());
        }
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", head.len()).into_bytes();
        answer.extend_from_slice(&head);
        // In one piece: two writes would wait for each other's acknowledgement.
        stream.write_all(&answer)?;
    }
}
