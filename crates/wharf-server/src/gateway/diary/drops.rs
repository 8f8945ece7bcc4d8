//! How many datagrams the kernel has dropped because nobody took them in time.

use std::os::fd::AsFd;

/// Reads the kernel's count for a socket; nothing where the system does not tell.
pub(super) fn kernel_drops(socket: impl AsFd) -> Option<u64> {
    let inode = rustix::fs::fstat(socket).ok()?.st_ino;
    ["/proc/self/net/udp", "/proc/self/net/udp6"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find_map(|table| drops_of(&table, inode))
}

/// Finds a socket's drops in the kernel's table: the last column, in the line that has the inode in its tenth.
fn drops_of(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(9);
        let is_it = columns.next()?.parse() == Ok(inode);
        is_it.then(|| columns.last()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drops_are_those_of_the_socket() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n  \
             871: 0100007F:203A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5120 2 0000000000000000 17\n  \
             872: 0100007F:203B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5121 2 0000000000000000 0\n";
        assert_eq!(drops_of(table, 5120), Some(17));
        assert_eq!(drops_of(table, 5121), Some(0));
        assert_eq!(drops_of(table, 5122), None);
    }

    #[test]
    fn what_nobody_takes_is_counted() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(kernel_drops(&socket), Some(0));
        let address = socket.local_addr().unwrap();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
        for _ in 0..1000 {
            sender.send_to(&[0; 1000], address).unwrap();
        }
        assert!(kernel_drops(&socket) > Some(900));
    }
}
