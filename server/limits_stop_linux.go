package server

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// refuseNew keeps clients from opening further connections, while those that are being opened or
// wait to be accepted go on. The kernel drops packets that ask for a new connection; the client
// asks again a second later and is refused, by this server's end or by another server.
func refuseNew(l net.Listener) error {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return errors.ErrUnsupported
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	// The filter sees the packet from its TCP header on; byte 13 holds the flags.
	const flags, syn, ack = 13, 0x02, 0x10
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1},
	}
	var setErr error
	err = socket.Control(func(fd uintptr) {
		setErr = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
	return errors.Join(err, setErr)
}
