use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};

/// Which addresses a mesh uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Those in the files, 127.0.x.y: for people, who find what the documents say. There can be one such mesh at a time.
    Default,
    /// 127.N.x.y with an N that no other mesh of this machine uses: for tests.
    Free,
}

/// A network taken. Nobody else gets it as long as the value lives.
#[derive(Debug)]
pub struct Subnet {
    second_octet: u8,
    _reservation: Option<TcpListener>,
}

impl Subnet {
    /// Takes one.
    ///
    /// # Errors
    ///
    /// All are taken.
    pub fn take(network: Network) -> Result<Self> {
        if network == Network::Default {
            return Ok(Self { second_octet: 0, _reservation: None });
        }
        // Processes that start together begin at different places.
        let first = std::process::id() % 254;
        (0..254)
            .filter_map(|step| u8::try_from((first + step) % 254 + 1).ok())
            .find_map(Self::reserve)
            .context("no free network among 127.1.0.0/16 to 127.254.0.0/16: stop other meshes")
    }

    /// A listener is the reservation: it excludes other processes too, and it cannot outlive this one.
    fn reserve(second_octet: u8) -> Option<Self> {
        let address = SocketAddr::from((Ipv4Addr::new(127, second_octet, 255, 254), 15000));
        let listener = TcpListener::bind(address).ok()?;
        Some(Self { second_octet, _reservation: Some(listener) })
    }

    /// Moves the addresses in `text`, which are 127.0.x.y, into this network.
    pub fn rewrite(&self, text: &str) -> String {
        text.replace("127.0.", &format!("127.{}.", self.second_octet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "LISTEN: 127.0.1.11:8080\nHTTP_PROXY: http://127.0.1.11:15001\n";

    #[test]
    fn the_default_network_is_the_one_in_the_files() {
        assert_eq!(Subnet::take(Network::Default).unwrap().rewrite(TEXT), TEXT);
    }

    #[test]
    fn every_address_is_moved() {
        let subnet = Subnet { second_octet: 7, _reservation: None };
        assert_eq!(subnet.rewrite(TEXT), "LISTEN: 127.7.1.11:8080\nHTTP_PROXY: http://127.7.1.11:15001\n");
    }

    #[test]
    fn a_free_network_is_nobody_elses_until_it_is_dropped() {
        let first = Subnet::take(Network::Free).unwrap();
        let second = Subnet::take(Network::Free).unwrap();
        assert_ne!(first.second_octet, second.second_octet);
        assert!(Subnet::reserve(first.second_octet).is_none());
    }
}
