//! Where a request came from, past the proxies that the operator trusts.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that asked: the peer's, or the last one in `X-Forwarded-For` that no trusted proxy wrote about itself.
///
/// Proxies append to the header, so it is read from its end; everything before the first untrusted address may have been
/// made up by whoever sits there. An entry that is no address ends the search at the proxy that passed it on.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted_proxies: &[IpAddr],
) -> IpAddr {
    let mut address = peer.to_canonical();
    let mut entries = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| entry.trim().parse::<IpAddr>())
        .collect::<Vec<_>>();
    while trusted_proxies.contains(&address) {
        match entries.pop() {
            Some(Ok(entry)) => address = entry.to_canonical(),
            Some(Err(_)) | None => break,
        }
    }
    address
}

/// Whether the request came straight from a program on this machine, and not through a proxy on it.
pub(crate) fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
    peer.to_canonical().is_loopback()
        && !headers.contains_key(X_FORWARDED_FOR)
        && !headers.contains_key("forwarded")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderValue};

    use super::{X_FORWARDED_FOR, client_address, is_local};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_stranger_s_header_is_not_believed() {
        let found = client_address(
            address("192.0.2.1"),
            &forwarded(&["198.51.100.7"]),
            &[address("10.0.0.1")],
        );
        assert_eq!(found, address("192.0.2.1"));
    }

    #[test]
    fn the_last_address_before_the_trusted_proxies_counts() {
        let trusted = [address("10.0.0.1"), address("10.0.0.2")];
        let headers = forwarded(&["203.0.113.9, 198.51.100.7", "10.0.0.2"]);
        assert_eq!(
            client_address(address("::ffff:10.0.0.1"), &headers, &trusted),
            address("198.51.100.7")
        );
    }

    #[test]
    fn garbage_counts_as_the_proxy_that_passed_it_on() {
        let trusted = [address("10.0.0.1")];
        assert_eq!(
            client_address(address("10.0.0.1"), &forwarded(&["unknown"]), &trusted),
            address("10.0.0.1")
        );
        assert_eq!(
            client_address(address("10.0.0.1"), &HeaderMap::new(), &trusted),
            address("10.0.0.1")
        );
    }

    #[test]
    fn a_request_through_a_proxy_on_this_machine_is_not_local() {
        assert!(is_local(address("127.0.0.1"), &HeaderMap::new()));
        assert!(is_local(address("::ffff:127.0.0.1"), &HeaderMap::new()));
        assert!(!is_local(
            address("127.0.0.1"),
            &forwarded(&["198.51.100.7"])
        ));
        assert!(!is_local(address("192.0.2.1"), &HeaderMap::new()));
    }
}
