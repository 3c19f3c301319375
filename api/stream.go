package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// chunk is about how much a streamed answer sends at once: what net/http and the server's limits
// pass on in one piece, without a copy.
const chunk = 60 << 10

// A Stream sends an XML answer that is too long to be built first. How long the caller may take
// to read each chunk is the server's business. The first chunk is held
// back: a failure before it is sent is answered like any other. A failure after it must be
// returned by the handler; ErrorHandler then cuts the connection, since half a list that looks
// whole would be believed.
//
//	defer stream.Close()
//	b := stream.Begin()
//	for … {
//		b = append(b, …)
//		if b, err = stream.Pass(b); err != nil {
//			return err
//		}
//	}
//	return stream.End(b)
type Stream struct {
	c    echo.Context
	turn bool // it has one
}

// NewStream prepares an answer with status 200.
func NewStream(c echo.Context) *Stream {
	return &Stream{c: c}
}

// Begin gives the buffer to append to.
func (s *Stream) Begin() []byte {
	s.turn = take()
	return append(make([]byte, 0, chunk+4<<10), Declaration...)
}

// Pass sends b when it is enough for a chunk, and gives the buffer to go on with.
func (s *Stream) Pass(b []byte) ([]byte, error) {
	if len(b) < chunk {
		return b, nil
	}
	if err := s.send(b); err != nil {
		return nil, err
	}
	s.turn = take()
	return b[:0], nil
}

// End sends what is left, and the answer is whole.
func (s *Stream) End(b []byte) error { return s.send(b) }

// Close lets others go on; the stream needn't be at its end.
func (s *Stream) Close() {
	if s.turn {
		s.turn = false
		give()
	}
}

func (s *Stream) send(b []byte) error {
	s.Close() // the client may take its time
	response := s.c.Response()
	if !response.Committed {
		response.Header().Set(echo.HeaderContentType, XML.ContentType())
		response.WriteHeader(http.StatusOK)
	}
	_, err := response.Write(b)
	return err
}
