package api

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/rollcall-id/rollcall/models"
)

// Limits of an XML body. Real ones are three deep; search restrictions nest further.
const (
	maxDepth    = 50
	maxElements = 50_000
)

// readXML reads one document. Declarations of types and entities are refused altogether, since
// they are how one reads a server's files or fills its memory; so is anything after the root.
func readXML(data []byte, byHeader charset, into any) error {
	data = bytes.TrimPrefix(data, byteOrderMark)
	tokens := &strictTokens{source: xml.NewDecoder(bytes.NewReader(data))}
	tokens.source.CharsetReader = declaredCharset(byHeader)
	decoder := xml.NewTokenDecoder(tokens)
	if err := decoder.Decode(into); err != nil {
		return badXML(err)
	}
	switch _, err := decoder.Token(); {
	case err == io.EOF:
		return nil
	case err == nil:
		return illegalBody("The body goes on after the end of its root element", nil)
	default:
		return badXML(err)
	}
}

// strictTokens passes the tokens of source on: not those that carry nothing, none that we
// refuse, and no more than the limits allow.
type strictTokens struct {
	source   *xml.Decoder
	depth    int
	elements int
	rooted   bool // the root element has begun
}

var (
	errDirective = errors.New("document type declarations are not allowed")
	errDepth     = fmt.Errorf("elements are nested deeper than %d", maxDepth)
	errElements  = fmt.Errorf("there are more than %d elements", maxElements)
	errOutside   = errors.New("there is text outside of the root element")
	errSecond    = errors.New("there is a second root element")
)

// Token gives the next token (xml.TokenReader).
func (t *strictTokens) Token() (xml.Token, error) {
	for {
		token, err := t.source.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, errDirective
		case xml.Comment, xml.ProcInst:
			continue
		case xml.CharData:
			if t.depth > 0 {
				return token, nil
			}
			if len(bytes.TrimSpace(token)) > 0 {
				return nil, errOutside
			}
			continue
		case xml.StartElement:
			if err := t.begin(); err != nil {
				return nil, err
			}
		case xml.EndElement:
			t.depth--
		}
		return token, nil
	}
}

func (t *strictTokens) begin() error {
	if t.depth == 0 && t.rooted {
		return errSecond
	}
	t.rooted = true
	t.depth++
	t.elements++
	switch {
	case t.depth > maxDepth:
		return errDepth
	case t.elements > maxElements:
		return errElements
	}
	return nil
}

// badXML says what is wrong with a document, in words for whoever wrote it.
func badXML(err error) error {
	if known, ok := errors.AsType[*models.Error](err); ok {
		return known
	}
	if err == io.EOF {
		return illegalBody("The body has no XML element", err)
	}
	return illegalBody("The body is not the XML that is expected here: "+err.Error(), err)
}
