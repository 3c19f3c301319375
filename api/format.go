package api

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// A Format is how a body is written.
type Format int

// The formats.
const (
	Undecided Format = iota
	XML
	JSON
)

// ContentType gives the media type of f, without a charset: it is always UTF-8, and clients
// compare the plain type.
func (f Format) ContentType() string { return f.contentType()[0] }

// The values of Content-Type: all answers share them.
var (
	typeXML   = []string{"application/xml"}
	typeJSON  = []string{"application/json"}
	plainText = []string{"text/plain;charset=UTF-8"}
)

func (f Format) contentType() []string {
	if f == JSON {
		return typeJSON
	}
	return typeXML
}

// FormatOf says in which format c is to be answered: what a suffix of the path forced, else
// what the Accept header prefers, else XML. It is NotAcceptable when the caller takes neither.
func FormatOf(c echo.Context) (Format, error) {
	if forced := CallOf(c).forced; forced != Undecided {
		return forced, nil
	}
	if f := negotiate(strings.Join(c.Request().Header[echo.HeaderAccept], ",")); f != Undecided {
		return f, nil
	}
	return XML, models.Fail(models.NotAcceptable, "", "The answer can be application/xml or application/json")
}

// A fit says how well one media range of an Accept header covers a format.
type fit struct {
	quality     float64
	specificity int // 1: */*, 2: application/*, 3: the type itself; 0: not at all
	position    int // in the header
}

// negotiate picks a format by an Accept header: the higher quality wins, then the more specific
// range, then the earlier one, then XML. So axios, which sends "application/json, text/plain,
// */*", gets JSON, and a browser gets XML. It is Undecided when nothing fits.
func negotiate(accept string) Format {
	switch strings.TrimSpace(accept) {
	case "", "*/*", "application/xml":
		return XML
	case "application/json":
		return JSON
	}
	asXML, asJSON := fits(accept)
	switch {
	case asXML.quality <= 0 && asJSON.quality <= 0:
		return Undecided
	case asJSON.better(asXML):
		return JSON
	}
	return XML
}

func (a fit) better(b fit) bool {
	if a.quality != b.quality {
		return a.quality > b.quality
	}
	if a.specificity != b.specificity {
		return a.specificity > b.specificity
	}
	return a.position < b.position
}

// fits finds the most specific range for each format, which has precedence over the others
// (RFC 9110, 12.5.1).
func fits(accept string) (asXML, asJSON fit) {
	position := 0
	for item := range strings.SplitSeq(accept, ",") {
		position++
		name, quality, ok := mediaRange(item)
		if !ok {
			continue
		}
		take := func(known *fit, specificity int) {
			if specificity > known.specificity {
				*known = fit{quality, specificity, position}
			}
		}
		switch name {
		case "*/*", "*": // Java's HttpURLConnection sends "*; q=.2" as well
			take(&asXML, 1)
			take(&asJSON, 1)
		case "application/*":
			take(&asXML, 2)
			take(&asJSON, 2)
		case "application/xml":
			take(&asXML, 3)
		case "application/json":
			take(&asJSON, 3)
		}
	}
	return asXML, asJSON
}

// mediaRange reads one item of an Accept header; ok is false when its quality is no number
// from 0 to 1. Parameters other than the quality don't matter to us.
func mediaRange(item string) (name string, quality float64, ok bool) {
	name, params, _ := strings.Cut(item, ";")
	quality = 1
	for p := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return "", 0, false
		}
		quality = q
	}
	return strings.ToLower(strings.TrimSpace(name)), quality, true
}
