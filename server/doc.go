// Package server builds the program's parts, connects them, starts them and stops them.
//
// What one running server consists of:
//
//	Load            defaults < YAML file < environment < flags, all problems at once
//	ResolveSecretKey the key that seals secrets at rest: from a setting, or a file made once
//	front           the public listener: TLS, limits on size and time, a stop that loses nothing
//	echo            request id → access log → metrics → the routes of routes.go
//	management      a listener of its own: /livez, /readyz, /healthz, /metrics
//
// A request's address, scheme and host are decided in proxy.go and nowhere else: forwarding
// headers count only when the socket's peer is a trusted proxy.
//
// How a server stops: /readyz turns 503, answers carry "Connection: close", new connections are
// still served for the drain time, then the listeners close and the requests in flight end.
package server
