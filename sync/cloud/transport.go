package cloud

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newTransport makes the connection. It follows no redirect and keeps no cookie: an address
// that moved is the administrator's to correct.
func newTransport(proxy string, ca []byte, connections int) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       30 * time.Second,
		DisableCompression:    true, // we unpack, to count what came over the wire
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil || u.Host == "" { // the text may hold a password: it isn't repeated
			return nil, errors.New("proxy: not an address; write it as http://host:port")
		}
		t.Proxy = http.ProxyURL(u)
	}
	if len(ca) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the system's certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(ca) {
			return nil, errors.New("own CA: no certificate in it; it has to be PEM, which begins with -----BEGIN CERTIFICATE-----")
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t, nil
}

// Transport is the client as an http.RoundTripper, for a library that builds its requests
// itself: each is governed, authorized, judged, counted and, when it is a GET, asked again, as
// in Do. It returns what the judge accepts, read to its end; anything else is an *Error, which
// net/http wraps in *url.Error. Check, if not nil, says of an accepted answer whether it can be
// read: an error has it asked again.
func (c *Client) Transport(check func(Answer) error) http.RoundTripper {
	return &roundTripper{c, check}
}

type roundTripper struct {
	client *Client
	check  func(Answer) error
}

// RoundTrip asks, as net/http wants it.
func (rt *roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	c := rt.client
	if r.Body != nil {
		r.Body.Close()
		if r.ContentLength != 0 {
			return nil, errors.New("a source only reads: a request with a body was not sent")
		}
	}
	if r.Method != http.MethodGet {
		return nil, fmt.Errorf("a source only reads: a %s was not sent", r.Method)
	}
	if !sameHost(c.root, r.URL) {
		return nil, fmt.Errorf("a request to %s was not sent: the directory's address is %s", r.URL.Host, c.root.Host)
	}
	var response *http.Response
	take := func(a Answer) error {
		if rt.check != nil {
			if err := rt.check(a); err != nil {
				return err
			}
		}
		header := a.Header.Clone()
		header.Del("Content-Encoding")
		header.Del("Content-Length")
		response = &http.Response{
			Status: fmt.Sprint(a.Status, " ", http.StatusText(a.Status)), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: header, Body: io.NopCloser(bytes.NewReader(bytes.Clone(a.Body))), ContentLength: int64(len(a.Body)), Request: r,
		}
		return nil
	}
	// Do makes the request anew, with the library's headers.
	if err := c.Do(r.Context(), Request{URL: r.URL.String(), Header: r.Header, Take: take}); err != nil {
		return nil, err
	}
	return response, nil
}
