package crowd

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// webhookBody is where an application wants to hear that something has changed. An id in it
// means nothing.
type webhookBody struct {
	XMLName     xml.Name      `json:"-" xml:"webhook"`
	EndpointURL string        `json:"endpointUrl" xml:"endpointUrl"`
	Token       models.Secret `json:"token" xml:"token"`
}

// registerWebhook answers POST /webhook. An address that is registered already keeps its token
// and is answered in the same way: Atlassian's products register at each start.
func (h *handler) registerWebhook(c echo.Context) error {
	var body webhookBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return err
	}
	hook, _, err := view(c).RegisterWebhook(reqctx(c), body.EndpointURL, body.Token)
	if err != nil {
		return err
	}
	h.locate(c, link{path: "/webhook/", token: strconv.FormatInt(int64(hook.ID), 10)})
	return api.Write(c, http.StatusCreated, webhookEntity{hook})
}

// webhook answers GET /webhook/{id}.
func (h *handler) webhook(c echo.Context) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	hook, err := view(c).Webhook(reqctx(c), id)
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, webhookEntity{hook})
}

// removeWebhook answers DELETE /webhook/{id}.
func (h *handler) removeWebhook(c echo.Context) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	if err := view(c).RemoveWebhook(reqctx(c), id); err != nil {
		return err
	}
	return api.WriteNothing(c)
}

// webhookID reads the id of the path. What isn't a number is the id of no webhook.
func webhookID(c echo.Context) (models.ID, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, models.Fail(models.WebhookNotFound, "", "There is no such webhook")
	}
	return models.ID(id), nil
}

// webhookEntity is a webhook as the wire has it. Its names are in camel case.
type webhookEntity struct{ *models.Webhook }

// AppendXML writes <webhook>.
func (w webhookEntity) AppendXML(b []byte) []byte {
	b = append(b, "<webhook>"...)
	b = api.AppendXMLElement(b, "id", strconv.FormatInt(int64(w.ID), 10))
	b = api.AppendXMLElement(b, "endpointUrl", w.EndpointURL)
	if w.Token != "" {
		b = api.AppendXMLElement(b, "token", w.Token.Reveal()) // who asks has set it
	}
	return append(b, "</webhook>"...)
}

// AppendJSON writes the object.
func (w webhookEntity) AppendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, int64(w.ID), 10)
	b = api.AppendJSONField(b, "endpointUrl", w.EndpointURL)
	if w.Token != "" {
		b = api.AppendJSONField(b, "token", w.Token.Reveal())
	}
	return append(b, '}')
}
