package application

import (
	"context"
	"net/netip"
	"strconv"
	"time"
)

// ParseBasic is parseBasic.
var ParseBasic = parseBasic

// RememberProofs remembers what was found out about n headers, and tells for how many, and
// whether for the last.
func RememberProofs(n int) (kept int, last bool) {
	p := newProofs()
	for i := range n {
		p.put(p.digest(strconv.Itoa(i)), proof{application: 1, password: 1})
	}
	return len(p.known), p.of(p.digest(strconv.Itoa(n-1)), 1).password == 1
}

// ResolveWith makes the service look host names up by resolve, and measure their age by now.
func (s *Service) ResolveWith(resolve func(ctx context.Context, host string) ([]netip.Addr, error), now func() time.Time) {
	s.hosts.resolve, s.hosts.now = resolve, now
}
