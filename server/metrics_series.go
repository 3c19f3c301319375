package server

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// series are the counters of one route. Prometheus would find them by their labels, which takes
// longer than to look up a user.
type series struct {
	route string
	mu    sync.RWMutex
	known map[answered]counters
}

// answered says how a request of a route was answered.
type answered struct {
	method string
	status int
}

type counters struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

// of gives the counters of one kind of answer; they exist from its first time on.
func (s *series) of(m *metrics, a answered) counters {
	s.mu.RLock()
	found, ok := s.known[a]
	s.mu.RUnlock()
	if ok {
		return found
	}
	found = counters{m.requests.WithLabelValues(a.method, s.route, codeLabel(a.status)), m.duration.WithLabelValues(a.method, s.route)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[answered]counters{}
	}
	s.known[a] = found
	return found
}
