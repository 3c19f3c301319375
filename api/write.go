package api

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"
)

// An Entity is the body of an answer. It appends itself: reflection would take a third of the
// time of a request.
type Entity interface {
	// AppendXML writes the root element, without the declaration.
	AppendXML(b []byte) []byte
	// AppendJSON writes one JSON object.
	AppendJSON(b []byte) []byte
}

// maxKept is the largest buffer that is kept for the next answer.
const maxKept = 512 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Write answers with an entity, in the format that the caller wants. It takes each as its own type,
// so that none has to be put on the heap.
func Write[E Entity](c echo.Context, status int, e E) error {
	format, err := FormatOf(c)
	if err != nil {
		return err
	}
	return write(c, status, format, e)
}

// write builds the whole answer first, so that it has its length and can't fail halfway.
func write[E Entity](c echo.Context, status int, format Format, e E) error {
	buffer := buffers.Get().(*[]byte)
	b := (*buffer)[:0]
	if format == JSON {
		b = e.AppendJSON(b)
	} else {
		b = e.AppendXML(append(b, Declaration...))
	}
	err := send(c, status, format.contentType(), b)
	if cap(b) <= maxKept {
		*buffer = b
		buffers.Put(buffer)
	}
	return err
}

// WriteEmpty answers without a body but with a Content-Type: the node client atlassian-crowd
// throws at any answer other than 204 that has none.
func WriteEmpty(c echo.Context, status int) error {
	format, err := FormatOf(c)
	if err != nil {
		return err
	}
	return send(c, status, format.contentType(), nil)
}

// WriteNothing answers 204.
func WriteNothing(c echo.Context) error { return c.NoContent(http.StatusNoContent) }

func send(c echo.Context, status int, contentType []string, body []byte) error {
	header, call := c.Response().Header(), CallOf(c)
	call.length[0] = strconv.Itoa(len(body))
	header[echo.HeaderContentType] = contentType
	header[echo.HeaderContentLength] = call.length[:]
	c.Response().WriteHeader(status)
	if len(body) == 0 {
		return nil
	}
	_, err := c.Response().Write(body)
	return err
}
