//! A way to somewhere that breaks after so many bytes.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::Result;

/// Relays connections until their clients have sent so many bytes together; then it breaks them all, and every later one.
/// Ends with the process.
pub struct Relay {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
}

impl Relay {
    /// Listens on a port of 127.0.0.1 that the system chooses, and breaks after `limit` bytes.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(to: SocketAddr, limit: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let counter = counter.clone();
                thread::spawn(move || relay(&client, to, &counter, limit));
            }
        });
        Ok(Self { address, sent })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes clients have sent, at most the limit.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

fn relay(client: &TcpStream, to: SocketAddr, sent: &AtomicU64, limit: u64) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    let (answers, back) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        // Whatever ends it, the client gets no more.
        let _ = io::copy(&mut &answers, &mut &back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 4096];
    let result = loop {
        let read = match (&mut &*client).read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(read) => read as u64,
            Err(error) => break Err(error),
        };
        let before = sent.fetch_add(read, Ordering::SeqCst);
        let allowed = read.min(limit.saturating_sub(before));
        let part = buffer.get(..allowed as usize).unwrap_or_default();
        if let Err(error) = (&mut &server).write_all(part) {
            break Err(error);
        }
        if allowed < read {
            sent.store(limit, Ordering::SeqCst);
            break Ok(());
        }
    };
    let _ = server.shutdown(Shutdown::Both);
    result
}
