package server

import (
	"net"
	"sync/atomic"
	"time"
)

// writePiece is written under one deadline; a client slower than a piece per writeStall is cut
// off.
const writePiece = 64 << 10

// inPieces writes p piece by piece, at least once.
func inPieces(p []byte, write func([]byte) (int, error)) (written int, err error) {
	for {
		piece := p[:min(len(p), writePiece)]
		n, err := write(piece)
		written += n
		if p = p[len(piece):]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// A stallListener gives connections that fail when their client reads nothing for too long.
type stallListener struct {
	net.Listener
	stall time.Duration
}

// Accept waits for the next connection.
func (l stallListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stallConn{Conn: conn, stall: l.stall}, nil
}

// A stallConn moves the deadline for writing forward with each piece written. net/http takes it away
// after each request, and to set it for each costs more than to look a user up; so the connection
// keeps its own, which is moved only now and then.
type stallConn struct {
	net.Conn
	stall   time.Duration
	armed   atomic.Int64 // when the deadline was last set, by sinceStart; 0: it isn't ours
	foreign atomic.Bool  // somebody set one, which stands until it is taken away
}

// start is where sinceStart counts from, so that moments are numbers that no change of the clock
// moves.
var start = time.Now().Add(-time.Hour)

// Write writes p piece by piece.
func (c *stallConn) Write(p []byte) (int, error) {
	return inPieces(p, func(piece []byte) (int, error) {
		c.arm()
		return c.Conn.Write(piece)
	})
}

// arm sets the deadline, unless it was set a moment ago.
func (c *stallConn) arm() {
	if c.foreign.Load() {
		return
	}
	if now := time.Now(); now.Sub(start)-time.Duration(c.armed.Load()) > c.stall/8 {
		c.armed.Store(int64(now.Sub(start)))
		_ = c.Conn.SetWriteDeadline(now.Add(c.stall))
	}
}

// SetWriteDeadline lets another deadline stand instead of ours, such as the one for a TLS
// handshake; none is ours again.
func (c *stallConn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() && !c.foreign.Load() {
		return nil
	}
	c.foreign.Store(!t.IsZero())
	c.armed.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines.
func (c *stallConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// CloseWrite ends what we send; net/http then waits a moment, so that the client can read the last
// answer before the connection is gone.
func (c *stallConn) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}
