//! Requests as bytes, made once and then only numbered.

/// A header line.
pub(crate) type Header = (String, String);

/// Where a header's value has this, the number of the request appears, as eight hexadecimal digits.
const NUMBER: &str = "{number}";
const DIGITS: usize = 8;

pub(crate) fn header(name: &str, value: impl Into<String>) -> Header {
    (name.to_owned(), value.into())
}

/// A GET request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<Header>,
    /// How many numbers there are; after the last comes the first.
    pub(crate) numbers: u32,
}

/// A request as it is sent, with the places where its number goes.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
    numbers: u32,
    next: u32,
}

impl Request {
    pub(crate) fn template(&self) -> Template {
        let mut text = format!("GET {} HTTP/1.1\r\nhost: bench\r\n", self.path);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text += "\r\n";
        let mut places = Vec::new();
        while let Some(place) = text.find(NUMBER) {
            text.replace_range(place..place + NUMBER.len(), &"0".repeat(DIGITS));
            places.push(place);
        }
        Template { bytes: text.into_bytes(), places, numbers: self.numbers, next: 0 }
    }
}

impl Template {
    /// The bytes of the next request.
    pub(crate) fn next(&mut self) -> &[u8] {
        let number = self.next;
        self.next = if number + 1 < self.numbers { number + 1 } else { 0 };
        for place in &self.places {
            if let Some(digits) = self.bytes.get_mut(*place..*place + DIGITS) {
                let shifts = (0..8).rev().map(|digit| digit * 4);
                digits.iter_mut().zip(shifts).for_each(|(digit, shift)| *digit = hexadecimal(number >> shift & 0xf));
            }
        }
        &self.bytes
    }
}

fn hexadecimal(digit: u32) -> u8 {
    // A digit of four bits is always one.
    char::from_digit(digit, 16).map_or(b'0', |digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_its_number_wherever_it_is_asked_for() {
        let headers = vec![header("x-user-id", "user-{number}"), header("x-request-id", "{number}-1ee7")];
        let mut template = Request { path: "/", headers, numbers: 0x20 }.template();
        (0..0x1a).for_each(|_| drop(template.next().to_vec()));
        let text = String::from_utf8(template.next().to_vec()).unwrap();
        assert_eq!(
            text,
            "GET / HTTP/1.1\r\nhost: bench\r\nx-user-id: user-0000001a\r\nx-request-id: 0000001a-1ee7\r\n\r\n"
        );
    }

    #[test]
    fn numbers_come_again() {
        let mut template = Request { path: "/", headers: vec![header("n", "{number}")], numbers: 2 }.template();
        let first = template.next().to_vec();
        assert_ne!(template.next(), first);
        assert_eq!(template.next(), first);
    }
}
