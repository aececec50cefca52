/// Who is told how far a transfer is. Told from within the transfer: must be quick.
pub trait Progress: Send + Sync {
    /// So many more bytes have to go.
    fn expect(&self, bytes: u64);
    /// So many of them went.
    fn advance(&self, bytes: u64);
}

/// Nobody.
impl Progress for () {
    fn expect(&self, _: u64) {}

    fn advance(&self, _: u64) {}
}
