//! Where an outgoing webhook may post to.
//!
//! The URL is checked when it is given, and each address that its name stands for when it is posted to: a name may stand
//! for another address by then. Whoever posts connects to the very address that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};
use wharf_types::ErrorCode;

use crate::Outgoing;
use crate::error::{Error, Result};

/// Checks a URL and gives it in its normal form.
///
/// # Errors
/// - `Invalid`: not `http` or `https` with a host, or with a password in it, or with a fragment.
/// - `Unsupported`: it names an address that is not public, where only such are allowed.
pub(super) fn check(text: &str, allowed: Outgoing) -> Result<String> {
    let url = Url::parse(text)
        .map_err(|error| Error::invalid(format!("the webhook's url is malformed: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::invalid(
            "a webhook's url begins with http:// or https://",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid(
            "a webhook's url has no user name and password: its requests are signed",
        ));
    }
    if url.fragment().is_some() {
        return Err(Error::invalid("a webhook's url has no fragment"));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(Error::invalid("a webhook's url names a host")),
    };
    if allowed == Outgoing::Public && address.is_some_and(|address| !is_public(address)) {
        return Err(Error::new(
            ErrorCode::Unsupported,
            "webhooks of this server post to public addresses only",
        ));
    }
    Ok(url.into())
}

/// Whether an address belongs to the public Internet: not to this machine, its network, a private or a special one, in
/// whatever notation of IPv6 it may come.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// After the IANA registry of special-purpose addresses.
const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Only global unicast is public, and of it not what is for documentation, benchmarks or identifiers; an address that
/// carries one of IPv4 is as public as that.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, c, ..] = segments;
    let v4 = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(first, second, third, fourth)
    };
    let [.., high, low] = segments;
    match (a, b) {
        // ::ffff:0:0/96, and nothing else that begins with zeros.
        (0, 0) => address.to_ipv4_mapped().is_some_and(is_public_v4),
        // 64:ff9b::/96, which a translator turns into IPv4.
        (0x64, 0xff9b) => segments.get(2..6) == Some(&[0; 4]) && is_public_v4(v4(high, low)),
        // 2002::/16, with the address of a router behind it.
        (0x2002, _) => is_public_v4(v4(b, c)),
        // 2001::/23 (Teredo, benchmarks, identifiers), documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::{check, is_public};
    use crate::Outgoing;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let public = [
            "1.1.1.1",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::101:101",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in special {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_checked_in_the_form_that_is_posted_to() {
        let public = |url| check(url, Outgoing::Public);
        assert_eq!(
            public("HTTPS://Example.ORG:443/a?b=c").unwrap(),
            "https://example.org/a?b=c"
        );
        // Other ways to write 127.0.0.1 and [::1].
        for url in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::ffff:7f00:1]/",
            "http://[::1]:8080/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            public(url).unwrap_err();
            check(url, Outgoing::Anywhere).unwrap();
        }
        for url in [
            "",
            "example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "http://",
            "http://ada:secret@example.org/",
            "http://ada@example.org/",
            "http://example.org/#part",
            "mailto:ada@example.org",
        ] {
            check(url, Outgoing::Anywhere).unwrap_err();
        }
    }
}
