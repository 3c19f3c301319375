//go:build !linux

package server

import (
	"errors"
	"net"
)

// refuseNew is known on Linux only. Elsewhere a connection that waits to be accepted at the very
// end of a stop is reset.
func refuseNew(net.Listener) error { return errors.ErrUnsupported }
